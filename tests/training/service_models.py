"""Holds recorded requests and responses to botocore's service models, field by field; knows nothing of the emulator."""

import functools
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from training.request_recorder import RecordedRequest, RecordedResponse

# What botocore calls a service in its events, where that is not the name of its model.
_MODELS = {"application-auto-scaling": "application-autoscaling", "cloudwatch-logs": "logs"}
_JAVA = {r"\p{L}": r"\w", r"\p{N}": r"\w", r"\p{Z}": r"\s", r"\p{M}": "", r"\p{S}": "", r"\p{P}": r"\W"}


@functools.cache  # reading a model takes a tenth of a second
def operation(service: str, name: str) -> OperationModel:
    return botocore.session.get_session().get_service_model(_MODELS.get(service, service)).operation_model(name)


def of_request(request: RecordedRequest) -> list[str]:
    """Every fault of a request; its members are taken from where the protocol has put them."""
    model = operation(request.service, request.operation)
    metadata, shape = model.service_model.metadata, model.input_shape
    result = []
    scope = f"/{metadata.get('signingName', metadata['endpointPrefix'])}/aws4_request"
    if scope not in request.headers.get("authorization", ""):
        result.append(f"not signed for {scope}")
    if request.method != model.http["method"]:
        result.append(f"{request.method} in place of {model.http['method']}")
    if metadata["protocol"] == "json":
        result += _unless(request.headers["content-type"], f"application/x-amz-json-{metadata['jsonVersion']}")
        result += _unless(request.headers["x-amz-target"], f"{metadata['targetPrefix']}.{request.operation}")
        members = request.json
    elif metadata["protocol"] == "rest-json" and shape is not None:
        members = _gathered(request, model)
    else:
        members = request.parameters
    if shape is None:
        return result
    return result + _faults(members, shape)


def of_response(response: RecordedResponse) -> list[str]:
    """Every fault of a JSON response; others are left to botocore's parsers."""
    model = operation(response.service, response.operation)
    if response.body is None or response.status != 200 or model.service_model.metadata["protocol"] != "json":
        return []
    return _faults(json.loads(response.body or b"{}"), model.output_shape) if model.output_shape else []


def fields(value: Any, shape: Shape, path: str = "") -> Iterator[tuple[str, Any, Shape | None]]:
    """Every member of a value with its shape, or None if the model has none for it."""
    yield path, value, shape
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for name, item in value.items():
            if name in shape.members:
                yield from fields(item, shape.members[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}", item, None
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from fields(item, shape.member, f"{path}[{index}]")
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for key, item in value.items():
            yield from fields(key, shape.key, f"{path}.{key}?")
            yield from fields(item, shape.value, f"{path}.{key}")


def _faults(members: Any, shape: Shape) -> list[str]:
    report = ParamValidator().validate(members, shape)
    result = [report.generate_report()] if report.has_errors() else []
    for path, value, of in fields(members, shape):
        result += [f"{path}: {fault}" for fault in _broken(value, of)]
    return result


def _broken(value: Any, shape: Shape | None) -> Iterator[str]:
    if shape is None:
        yield "the model knows no such member"
        return
    bounds = shape.metadata
    size = len(value) if isinstance(value, str | list | dict) else value
    if isinstance(size, int | float) and not bounds.get("min", size) <= size <= bounds.get("max", size):
        yield f"{size} is not within {bounds.get('min')} and {bounds.get('max')}"
    if isinstance(shape, StringShape) and isinstance(value, str):
        if shape.enum and value not in shape.enum:
            yield f"{value!r} is none of {shape.enum}"
        pattern = bounds.get("pattern")
        if pattern and not _pattern(pattern).fullmatch(value):
            yield f"{value!r} does not match {pattern}"


@functools.cache
def _pattern(pattern: str) -> re.Pattern[str]:
    text = pattern.replace(r"\p{Print}+", "[ -~]+").replace(r"\p{ASCII}*", "[\x00-\x7f]*").replace(r"\p{Print}", " -~")
    text = text.replace(r"\z", r"\Z").replace(r"\p{Alnum}", "a-zA-Z0-9")
    for java, python in _JAVA.items():
        text = text.replace(java, python)
    if "uD800" in text:  # a class of Java's surrogates: all of Unicode
        return re.compile(".*", re.DOTALL)
    return re.compile(text)


def _gathered(request: RecordedRequest, model: OperationModel) -> dict[str, Any]:
    """A REST request's members, from path, headers, query and body."""
    shape: Any = model.input_shape
    parts = urlsplit(request.url)
    template = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(model.http["requestUri"].partition("?")[0]))
    path = re.fullmatch(template, parts.path)
    assert path is not None, request.url
    members: dict[str, Any] = {name: unquote(value) for name, value in path.groupdict().items()}
    payload = shape.serialization.get("payload")
    for name, member in shape.members.items():
        location, wire = member.serialization.get("location"), member.serialization.get("name", name)
        if location == "header" and wire.lower() in request.headers:
            members[name] = request.headers[wire.lower()]
    if payload:
        members[payload] = request.body
    elif request.body:
        members |= request.json
    return members


def _unless(value: str, wanted: str) -> list[str]:
    return [] if value == wanted else [f"{value} in place of {wanted}"]
