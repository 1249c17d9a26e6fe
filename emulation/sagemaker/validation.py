"""Checks a request against botocore's service model and words what is wrong as AWS does.

The client-side ``ParamValidator`` knows types, required members and lower bounds; the service also enforces upper
bounds, patterns and enums, ignores members it does not know, and refuses a wrong JSON type with SerializationException.
"""

import functools
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from emulation.sagemaker.errors import SerializationException

Params = dict[str, Any]
Json: TypeAlias = Any

_SCALARS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float),
}
_JSON_NAMES: Mapping[type, str] = {
    str: "STRING_VALUE",
    bool: "BOOLEAN_VALUE",
    int: "NUMBER_VALUE",
    float: "NUMBER_VALUE",
}
_MAX_ECHO = 2048
_MAX_MATCHED = 65536
# Java's classes in Python's words; the separators are Unicode's category Z.
_JAVA_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\w",
    r"\p{Z}": r"\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
    r"\p{Print}+": r"[\u0020-\u007e]+",
    r"\p{Print}": r"\u0020-\u007e",
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{ASCII}*": r"[\u0000-\u007f]*",
    r"\z": r"\Z",
}


def typed(value: object, shape: Shape, where: str = "") -> Json:
    """Return ``value`` without nulls and unknown members; raise SerializationException where a type is wrong."""
    if isinstance(shape, StructureShape):
        return {
            name: typed(item, shape.members[name], f"{where}.{name}")
            for name, item in _mapping(value, where).items()
            if item is not None and name in shape.members
        }
    if isinstance(shape, MapShape):
        items = _mapping(value, where).items()
        return {name: typed(item, shape.value, f"{where}.{name}") for name, item in items if item is not None}
    if isinstance(shape, ListShape):
        if not isinstance(value, list):
            raise SerializationException(f"Expected list or null at '{where.lstrip('.')}'")
        return [typed(item, shape.member, f"{where}[{index}]") for index, item in enumerate(value)]
    return _scalar(value, shape, where)


def violations(value: Json, shape: Shape, path: str = "") -> Iterator[str]:
    """Yield, in AWS's words, every constraint of ``shape`` that a typed ``value`` breaks."""
    for constraint in _broken(value, shape):
        yield f"Value '{_echo(value)}' at '{path}' failed to satisfy constraint: {constraint}"
    if isinstance(shape, StructureShape):
        for name in shape.required_members:
            if name not in value:
                yield f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
        for name, item in value.items():
            yield from violations(item, shape.members[name], _join(path, name))
    elif isinstance(shape, ListShape):
        yield from _list_violations(value, shape, path)
    elif isinstance(shape, MapShape):
        yield from _map_violations(value, shape, path)


def message(constraints: list[str]) -> str:
    """Return AWS's one message for all violated constraints."""
    noun = "error" if len(constraints) == 1 else "errors"
    return f"{len(constraints)} validation {noun} detected: {'; '.join(constraints)}"


def _mapping(value: object, where: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise SerializationException(f"Expected map or structure at '{where.lstrip('.') or 'request'}'")


def _scalar(value: object, shape: Shape, where: str) -> object:
    allowed = _SCALARS.get(shape.type_name, (object,))
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed and object not in allowed):
        kind = _JSON_NAMES.get(type(value), "Start of structure or list")
        raise SerializationException(f"{kind} can not be converted to {shape.type_name} at '{where.lstrip('.')}'")
    if isinstance(value, float) and not math.isfinite(value):
        raise SerializationException(f"NUMBER_VALUE is out of range at '{where.lstrip('.')}'")
    return value


def _list_violations(value: list[Any], shape: ListShape, path: str) -> Iterator[str]:
    member = shape.member
    if isinstance(member, StructureShape | ListShape | MapShape):
        for index, item in enumerate(value, start=1):
            yield from violations(item, member, f"{path}.{index}.member")
        return
    broken = sorted({constraint for item in value for constraint in _broken(item, member)})
    if broken:
        wording = f"Member must satisfy constraint: [{', '.join(broken)}]"
        yield f"Value '{_echo(value)}' at '{path}' failed to satisfy constraint: {wording}"


def _map_violations(value: dict[str, Any], shape: MapShape, path: str) -> Iterator[str]:
    for noun, items, side in (("keys", value.keys(), shape.key), ("value", value.values(), shape.value)):
        broken = sorted({constraint for item in items for constraint in _broken(item, side)})
        if broken:
            wording = f"Map {noun} must satisfy constraint: [{', '.join(broken)}]"
            yield f"Value '{_echo(value)}' at '{path}' failed to satisfy constraint: {wording}"


def _broken(value: Json, shape: Shape) -> Iterator[str]:
    bounds = shape.metadata
    if isinstance(shape, StringShape | ListShape | MapShape):
        measure, size = "length", len(value)
    elif shape.type_name in {"integer", "long", "float", "double"}:
        measure, size = "value", value
    else:
        return
    if "max" in bounds and size > bounds["max"]:
        yield f"Member must have {measure} less than or equal to {bounds['max']}"
    if "min" in bounds and size < bounds["min"]:
        yield f"Member must have {measure} greater than or equal to {bounds['min']}"
    if isinstance(shape, StringShape):
        if shape.enum and value not in shape.enum:
            yield f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        if not _matches(bounds.get("pattern"), value, bounds.get("max")):
            yield f"Member must satisfy regular expression pattern: {bounds['pattern']}"


def _matches(pattern: str | None, value: str, longest: int | None) -> bool:
    compiled = _compile(pattern) if pattern else None
    # A value far over its length has been named already, and matching it would cost more than it tells.
    if compiled is None or len(value) > min(_MAX_MATCHED, 4 * longest if longest else _MAX_MATCHED):
        return True
    return compiled.fullmatch(value) is not None


@functools.cache
def _compile(pattern: str) -> re.Pattern[str] | None:
    text = pattern
    for java, python in _JAVA_CLASSES.items():
        text = text.replace(java, python)
    try:
        return re.compile(text, 0 if r"\p{L}" in pattern else re.ASCII)
    except re.error:
        return None  # a few patterns of the model are not Python's; the service, not we, judges those


def _join(path: str, name: str) -> str:
    lowered = name[0].lower() + name[1:]
    return f"{path}.{lowered}" if path else lowered


def _echo(value: Json) -> str:
    text = _java(value)
    return text if len(text) <= _MAX_ECHO else f"{text[:_MAX_ECHO]}..."


def _java(value: Json) -> str:
    """Return ``value`` as Java prints it, which is how AWS echoes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}={_java(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_java(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
