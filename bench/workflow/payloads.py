"""Images of growing size, as files and on the way through the limit of 256 KiB on a state."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Picture

from bench.workflow.rig import Rig
from scones import pipeline

PAYLOADS = {"50 KB": 50_000, "190 KB": 190_000, "300 KB": 300_000, "5 MB": 5_000_000, "20 MB": 20_000_000}


def payload(rig: Rig, scratch: Path) -> dict[str, Any]:
    """Run images of growing size; noise does not compress, so that a file's size follows from its pixels."""
    found = {}
    for name, size in PAYLOADS.items():
        for kind in ("png", "jpg"):
            path = scratch / f"{name.replace(' ', '')}.{kind}"
            path.write_bytes(noise(size, kind))
            images = pipeline.upload_images(
                rig.client("s3"), rig.deployed.data_bucket, f"runs/{path.stem}", [path], lambda _done, _total: None
            )
            (outcome,) = rig.run(images, f"payload-{path.stem}-{kind}", threshold=0.5)
            ended = outcome.error or (outcome.output or {}).get("label", outcome.status)
            found[f"{name} {kind}"] = {"bytes": path.stat().st_size, "ended": ended, "ms": round(outcome.milliseconds)}
    return found


def noise(size: int, kind: str) -> bytes:
    """Return an image file of about ``size`` bytes."""
    side = int((size / (3.0 if kind == "png" else 2.45)) ** 0.5)
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    out = io.BytesIO()
    options: dict[str, Any] = {"quality": 95, "subsampling": 0} if kind == "jpg" else {"compress_level": 1}
    Picture.fromarray(pixels).save(out, {"jpg": "JPEG", "png": "PNG"}[kind], **options)
    return out.getvalue()
