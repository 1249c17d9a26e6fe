import io
import re
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import ImageTooCostly
from core.image_decoding import MAX_SCANS, open_image
from core.thumbnails import data_uri
from monitoring.image_statistics import measure

SERIALIZE = Path(__file__).parents[2] / "services" / "serialize" / "image.py"


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
    assert time.process_time() - begun < 0.5


def test_more_pixels_than_the_limit_are_refused() -> None:
    content = io.BytesIO()
    Image.new("1", (10_000, 4_001)).save(content, "PNG")
    with pytest.raises(ImageTooCostly, match="10000 x 4001 pixels, the limit is 40,000,000"):
        open_image(content.getvalue())


def test_the_limit_of_scans_is_the_lambdas() -> None:
    assert re.findall(r"^MAX_SCANS = (\d+)", SERIALIZE.read_text("utf-8"), re.MULTILINE) == [str(MAX_SCANS)]
