"""RecordIO files for tests, written after the format's description."""

import struct
from collections.abc import Iterable

MAGIC = struct.pack("<I", 0xCED7230A)


def image_record(label: float, number: int, image: bytes) -> bytes:
    """The content of one record: flag, label, two numbers, the encoded image."""
    return struct.pack("<IfQQ", 0, label, number, 0) + image


def recorded(records: Iterable[bytes]) -> bytes:
    """A file of these records, each split where it holds the magic number."""
    return b"".join(_record(content) for content in records)


def _record(content: bytes) -> bytes:
    parts = content.split(MAGIC)
    last = len(parts) - 1
    flags = [0] if not last else [1, *[2] * (last - 1), 3]
    return b"".join(
        MAGIC + struct.pack("<I", flag << 29 | len(part)) + part + b"\0" * (-len(part) % 4)
        for flag, part in zip(flags, parts, strict=True)
    )
