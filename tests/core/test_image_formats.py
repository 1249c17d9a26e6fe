import io
import re
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import image_formats
from core.errors import ImageTooCostly
from core.image_formats import MAX_SCANS, open_image
from core.thumbnails import data_uri
from monitoring.image_statistics import measure

SERIALIZE = Path(__file__).parents[2] / "services" / "serialize"


def jpeg(side: int, scans: int) -> bytes:
    """A progressive JPEG whose last scan is repeated until it has ``scans``."""
    content = io.BytesIO()
    Image.fromarray(np.zeros((side, side, 3), np.uint8)).save(content, "JPEG", progressive=True)
    data = content.getvalue()
    first, last = data.count(b"\xff\xda"), data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * (scans - first) + data[-2:]


def test_a_photographs_scans_are_decoded() -> None:
    open_image(jpeg(2000, 12)).load()


@pytest.mark.parametrize(("side", "scans"), [(16, MAX_SCANS + 1), (4000, 60), (6000, 100)])
def test_more_passes_over_an_image_than_it_is_worth_are_refused(side: int, scans: int) -> None:
    data = jpeg(side, scans)
    with pytest.raises(ImageTooCostly, match=f"{scans} scans"):
        open_image(data)
    begun = time.process_time()
    assert data_uri(data, 96) is None
    assert measure(data) is None
    assert time.process_time() - begun < 10


def test_more_pixels_than_the_limit_are_refused() -> None:
    content = io.BytesIO()
    Image.new("1", (10_000, 4_001)).save(content, "PNG")
    with pytest.raises(ImageTooCostly, match="10000 x 4001 pixels, the limit is 40,000,000"):
        open_image(content.getvalue())


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


SMALL = Image.new("RGB", (64, 48), (200, 40, 30))


def with_segment(marker: bytes, body: bytes) -> bytes:
    data = encode(SMALL, "JPEG")
    return data[:2] + b"\xff" + marker + struct.pack(">H", len(body) + 2) + body + data[2:]


def with_chunk(kind: bytes, body: bytes, checksum: bytes | None = None) -> bytes:
    data = encode(SMALL, "PNG")
    checksum = checksum or zlib.crc32(kind + body).to_bytes(4, "big")
    return data[:33] + struct.pack(">I", len(body)) + kind + body + checksum + data[33:]


FILES = {
    "a JPEG": encode(SMALL, "JPEG"),
    "a motion photo": encode(SMALL, "JPEG") + b"\xff\xda" * 500,
    "a JPEG that was sent as text": encode(SMALL, "JPEG").replace(b"\n", b"\r\n"),
    "a JPEG of too many scans": jpeg(16, MAX_SCANS + 1),
    "a JPEG of many scans": jpeg(4000, 60),
    "a PNG": encode(SMALL, "PNG"),
    "a JPEG whose Photoshop block is cut off": with_segment(b"\xed", b"Photoshop 3.0\x008BIM\x07\xdb"),
    "a JPEG whose profile has no number": with_segment(b"\xe2", b"ICC_PROFILE\0"),
    "a JPEG whose Adobe segment is short": with_segment(b"\xee", b"Adobe\0"),
    "a PNG whose resolution is cut off": with_chunk(b"pHYs", b"\0\0\0"),
    "a PNG whose profile is not deflated": with_chunk(b"iCCP", b"p\0\0x"),
    "a PNG with an odd checksum": with_chunk(b"eXIf", b"II*\0", b"sum?"),
    "a GIF": encode(SMALL, "GIF"),
    "a WebP image": encode(SMALL, "WEBP"),
    "an AVIF image": encode(SMALL, "AVIF"),
    "a text": b"a text",
    "a video": b"\0\0\0\x18ftypmp42" + bytes(100),
    "half a PNG's signature": b"\x89PNG",
}
IN_THE_LAMBDA = """
import sys
from image import image_format, open_image
for path in sys.argv[1:]:
    data = open(path, "rb").read()
    try:
        image = open_image(data, image_format(data))
        print(image.size)
    except Exception as error:
        print("refused")
"""


def test_the_lambda_opens_and_refuses_the_same_files(tmp_path: Path) -> None:
    outcomes = []
    for number, data in enumerate(FILES.values()):
        (tmp_path / f"{number:02}").write_bytes(data)
        try:
            outcomes.append(str(open_image(data).size))
        except Exception:  # noqa: BLE001 - damaged bytes lead Pillow into errors of many kinds
            outcomes.append("refused")
    command = [sys.executable, "-c", IN_THE_LAMBDA, *map(str, sorted(tmp_path.iterdir()))]
    done = subprocess.run(command, cwd=SERIALIZE, capture_output=True, text=True, check=True)
    names = list(FILES)
    assert dict(zip(names, done.stdout.splitlines(), strict=True)) == dict(zip(names, outcomes, strict=True))
    assert outcomes.count("refused") == 6


@pytest.mark.parametrize("name", ["MAX_SCANS", "MAX_SCANNED_PIXELS"])
def test_the_limits_of_scans_are_the_lambdas(name: str) -> None:
    text = (SERIALIZE / "image.py").read_text("utf-8")
    assert [int(value) for value in re.findall(rf"^{name} = ([\d_]+)", text, re.MULTILINE)] == [
        getattr(image_formats, name)
    ]
