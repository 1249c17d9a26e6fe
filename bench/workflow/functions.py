"""What the three functions need at most, on the largest images that they take, and what the template gives them."""

import base64
import io
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.lambda_start import EVENTS, lay_out, once, stand_in
from orchestration.cost import memory_mb
from orchestration.package import TEMPLATE

# Lambda gives a function a core for each so many MB: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
MB_OF_A_CORE = 1769
_LARGEST = {
    "PNG, 36 megapixels": ("PNG", (6000, 6000), {"compress_level": 1}),
    "JPEG, 40 megapixels": ("JPEG", (8000, 5000), {"quality": 85}),
    "progressive JPEG, 40 megapixels": ("JPEG", (8000, 5000), {"quality": 85, "progressive": True}),
    "GIF, 36 megapixels": ("GIF", (6000, 6000), {}),
    "WebP, 16 megapixels": ("WEBP", (4000, 4000), {"quality": 80}),
}


def functions() -> dict[str, Any]:
    """Return each function's peak memory in MiB and milliseconds, start included, on each of the inputs."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        laid = lay_out(Path(scratch))

        def take(service: str, what: str, event: dict[str, Any], image: bytes | None = None) -> None:
            with stand_in(image) as address:
                taken = [once(laid[service][0], json.dumps(event), address) for _ in range(3)]
            sample = min(taken, key=lambda each: each.milliseconds)
            found[f"{service}: {what}"] = {"ms": round(sample.milliseconds), "mib": round(sample.mebibytes)}

        for what, (kind, size, how) in _LARGEST.items():
            take("serialize", what, EVENTS["serialize"], picture(kind, size, how))
        whole = base64.b64encode(np.random.default_rng(0).bytes(180 * 1024)).decode()
        # One argument of a process has at most 128 KiB on Linux.
        take("classify", "120 KB of base64", EVENTS["classify"] | {"image_data": whole[:120_000]})
        take("filter", "two probabilities", EVENTS["filter"])
    return {"inputs": found, "template": {name: limits(name) for name in EVENTS}}


def picture(kind: str, size: tuple[int, int], how: dict[str, Any]) -> bytes:
    """Return an image file of patches of grey, which compresses well enough for the limit on an object's bytes."""
    out = io.BytesIO()
    patches = Image.effect_noise((500, 500), 80).resize(size, Image.Resampling.NEAREST)
    patches.convert("RGB").save(out, kind, **how)
    return out.getvalue()


def limits(service: str) -> dict[str, int]:
    """Return what the template gives to a function: memory in MB and its time limit in seconds."""
    block = TEMPLATE.read_text("utf-8").split(f"\n  {service.capitalize()}Function:\n", 1)[1]
    seconds = re.search(r"^ +Timeout: (\d+)", block, re.MULTILINE)
    if seconds is None:
        raise ValueError(f"the template gives {service.capitalize()}Function no Timeout")
    return {"memory_mb": memory_mb(service), "timeout_s": int(seconds[1])}
