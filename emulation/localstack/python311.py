"""Rewrites what LocalStack 4.14 takes from Python 3.12 and 3.13 in the way Python 3.11 has it.

It declares support of 3.10 and yet has type parameters in brackets (ten files), ``warnings.deprecated``, ``uuid.uuid5``
of bytes, and a union with ``threading.Lock``, which was a function before 3.13.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from emulation.errors import RewriteFailed

_CLASS = re.compile(r"^(?P<head>[ \t]*class \w+)\[(?P<parameters>[^\]]+)\](?:\((?P<bases>[^)]*)\))?:", re.MULTILINE)
_FUNCTION = re.compile(r"^(?P<head>[ \t]*(?:async )?def \w+)\[(?P<parameters>[^\]]+)\]\(", re.MULTILINE)
_ALIAS = re.compile(r"^type (?P<name>\w+) = ", re.MULTILINE)
_LOCK_UNION = re.compile(r"(: )(R?Lock \| None)")
_UUID_OF_BYTES = re.compile(r"\buuid\.uuid5\((?P<namespace>[\w.]+), (?P<name>\w+)\)")
_DEPRECATED = re.compile(r"^from warnings import deprecated$", re.MULTILINE)
_FIRST_IMPORT = re.compile(r"^(?:import|from (?!__future__)) ?\S+", re.MULTILINE)


def backport(package: Path) -> list[Path]:
    """Rewrite every file of ``package`` that is newer than Python 3.11; return those files.

    Raises RewriteFailed, leaving that file as it was, where the rewritten text does not compile.
    """
    rewritten = []
    for file in sorted(package.rglob("*.py")):
        source = file.read_text()
        result = rewrite(source)
        if result != source:
            try:
                compile(result, file, "exec", dont_inherit=True)
            except SyntaxError as error:
                raise RewriteFailed(file, error) from error
            file.unlink()  # it may be a hard link into the installer's cache, which must stay as it is
            file.write_text(result)
            rewritten.append(file)
    return rewritten


def rewrite(source: str) -> str:
    """Return ``source`` as Python 3.11 can run it; the bounds of type parameters are dropped."""
    names = dict.fromkeys(_parameters(source))
    source = _CLASS.sub(_generic_class, source)
    source = _FUNCTION.sub(r"\g<head>(", source)
    source = _ALIAS.sub(r"\g<name> = ", source)
    source = _LOCK_UNION.sub(r'\1"\2"', source)
    source = _UUID_OF_BYTES.sub(
        r"uuid.uuid5(\g<namespace>, \g<name> if isinstance(\g<name>, str) else \g<name>.hex())", source
    )
    source = _DEPRECATED.sub("from typing_extensions import deprecated", source)
    return _declare(list(names), source) if names else source


def _parameters(source: str) -> Iterator[str]:
    for pattern in (_CLASS, _FUNCTION):
        for match in pattern.finditer(source):
            yield from _names(match["parameters"])


def _names(parameters: str) -> list[str]:
    return [parameter.partition(":")[0].strip() for parameter in parameters.split(",")]


def _generic_class(match: re.Match[str]) -> str:
    generic = f"_typing.Generic[{', '.join(_names(match['parameters']))}]"
    return f"{match['head']}({', '.join(filter(None, (match['bases'], generic)))}):"


def _declare(names: list[str], source: str) -> str:
    lines = ["import typing as _typing", *(f'{name} = _typing.TypeVar("{name}")' for name in names)]
    first = _FIRST_IMPORT.search(source)
    at = first.start() if first else 0
    return source[:at] + "\n".join(lines) + "\n" + source[at:]
