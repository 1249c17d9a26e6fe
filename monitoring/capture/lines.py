"""Splits a stream of bytes, gzipped or not, into lines, in bounded memory."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

_GZIP = b"\x1f\x8b"
_STEP = 1 << 20
_BROKEN = b"\0"  # occurs in no record, so that the line it is in counts as truncated
LONGEST = 32 << 20
"""A record has a request and a response of 6 MB each, in base64; a longer line is not a record."""


@dataclass(frozen=True)
class Line:
    """One line; ``whole`` is False for a last line without line feed, and for one that is too long."""

    text: bytes
    whole: bool


def lines(chunks: Iterable[bytes]) -> Iterator[Line]:
    """Yield the lines that are not blank. A truncated stream, gzipped or not, ends in a line that is not ``whole``."""
    rest, overlong = bytearray(), False
    for chunk in _plain(chunks):
        rest += chunk
        *done, last = rest.split(b"\n") if b"\n" in chunk else (rest,)
        for text in done:
            if overlong or text.strip():
                yield Line(b"" if overlong else bytes(text), not overlong)
            overlong = False
        rest = bytearray(last)
        if len(rest) > LONGEST:
            rest, overlong = bytearray(), True
    if overlong or rest.strip():
        yield Line(bytes(rest), whole=False)


def _plain(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress where the first two bytes are gzip's; the stream may have several members."""
    source = iter(chunks)
    head = b""
    for chunk in source:
        head += chunk
        if len(head) >= len(_GZIP):
            break
    if not head.startswith(_GZIP):
        if head:
            yield head
        yield from source
        return
    yield from _unpacked(head, source)


def _unpacked(head: bytes, source: Iterator[bytes]) -> Iterator[bytes]:
    unpacker, begun = zlib.decompressobj(wbits=31), False
    for chunk in chain((head,), source):
        packed = chunk
        while packed:
            try:
                yield unpacker.decompress(packed, _STEP)
            except zlib.error:
                yield _BROKEN
                return
            begun = not unpacker.eof
            packed = unpacker.unconsumed_tail
            if unpacker.eof:
                packed, unpacker = unpacker.unused_data, zlib.decompressobj(wbits=31)
    if begun:
        yield _BROKEN
