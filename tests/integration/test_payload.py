"""Images of any size are classified or refused by name; none fails for the limit of 256 KiB on a state's payload."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scones.image_inputs import upload_images
from tests.integration.local_deployment import LocalDeployment

pytestmark = pytest.mark.integration
SIZES = {"50 KB": 50_000, "190 KB": 190_000, "300 KB": 300_000, "5 MB": 5_000_000, "20 MB": 20_000_000}


def noise(size: int, suffix: str) -> bytes:
    """Return an image of about ``size`` bytes: noise does not compress, so that the size follows from the pixels."""
    side = int((size / (3.0 if suffix == "png" else 2.45)) ** 0.5)
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    out = io.BytesIO()
    options: dict[str, Any] = {"quality": 95, "subsampling": 0} if suffix == "jpg" else {"compress_level": 1}
    Image.fromarray(pixels).save(out, {"jpg": "JPEG", "png": "PNG"}[suffix], **options)
    return out.getvalue()


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("name", SIZES)
def test_no_size_of_image_fails_for_the_limit_on_states(
    name: str, suffix: str, deployment: LocalDeployment, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    path = tmp_path / f"{name.replace(' ', '')}.{suffix}"
    path.write_bytes(noise(SIZES[name], suffix))
    s3, bucket = deployment.client("s3"), deployment.outputs.data_bucket
    images = upload_images(s3, bucket, "runs/payload", [path], lambda _done, _total: None)
    (outcome,) = deployment.run(images, f"payload-{path.stem}-{suffix}", threshold=0.5)
    ended = outcome.error or (outcome.output or {}).get("label", outcome.status)
    row = (f"{name} {suffix}", path.stat().st_size, ended, round(outcome.milliseconds))
    record_property("payload", row)
    assert ended in {"bicycle", "motorcycle", "ImageTooLarge"}
