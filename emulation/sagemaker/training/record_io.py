"""Images of a RecordIO file, as MXNet's im2rec writes it, as files and a .lst file.

A record is a magic number, flag and length, and the content padded to four bytes; content that holds the magic number
is split at it. The content is flag, label and number of an image, further labels, and the encoded image.
https://mxnet.apache.org/versions/1.9.1/api/architecture/note_data_loading
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from core.lst_files import Entry, write_lst
from emulation.sagemaker.errors import TrainingFailed

CONTENT_TYPE = "application/x-recordio"
_MAGIC = struct.pack("<I", 0xCED7230A)
_LENGTH_BITS = 29
_WHOLE, _FIRST, _LAST = 0, 1, 3
_IMAGE = struct.Struct("<IfQQ")


def unpack(channel: Path, listing: Path) -> None:
    """Write the images of the RecordIO file next to it, and the .lst file ``listing``. Raises TrainingFailed."""
    files = sorted(channel.rglob("*.rec"))
    if len(files) != 1:
        raise TrainingFailed(f"ClientError: {channel.name}: {len(files)} .rec files in the channel; one is expected")
    entries = []
    try:
        for number, record in enumerate(read_records(files[0])):
            label, image = _image(record)
            entries.append(Entry(number, label, f"{number:08}.image"))
            channel.joinpath(entries[-1].file).write_bytes(image)
    except ValueError as error:
        raise TrainingFailed(f"ClientError: {channel.name}: {files[0].name}, record {len(entries)}: {error}") from error
    listing.parent.mkdir(exist_ok=True)
    write_lst(listing, entries)


def read_records(path: Path) -> Iterator[bytes]:
    """Yield the content of each record. Raises ValueError if the file is damaged."""
    size = path.stat().st_size
    with path.open("rb") as file:
        parts: list[bytes] = []
        while head := file.read(8):
            if len(head) < 8 or head[:4] != _MAGIC:
                raise ValueError("it does not begin with RecordIO's magic number")
            (word,) = struct.unpack("<I", head[4:])
            flag, length = word >> _LENGTH_BITS, word & ((1 << _LENGTH_BITS) - 1)
            if length > size - file.tell():
                raise ValueError("the file ends within it")
            if flag in (_WHOLE, _FIRST):
                parts = []
            parts.append(file.read(length))
            file.read(-length % 4)
            if flag in (_WHOLE, _LAST):
                yield _MAGIC.join(parts)


def _image(record: bytes) -> tuple[int, bytes]:
    """Return label and encoded image."""
    if len(record) < _IMAGE.size:
        raise ValueError("it is too short for an image")
    count, label, _, _ = _IMAGE.unpack_from(record)
    if count > 1:
        raise ValueError(f"it has {count} labels, and one label an image is supported")
    if count == 1:
        (label,) = struct.unpack_from("<f", record.ljust(_IMAGE.size + 4, b"\0"), _IMAGE.size)
    if not (0 <= label < 2**24 and label == int(label)):
        raise ValueError(f"label {label:g} is not a whole number")
    return int(label), record[_IMAGE.size + 4 * count :]
