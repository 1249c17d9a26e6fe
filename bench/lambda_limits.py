"""What the three functions need at most, on the largest images they accept, and what the template gives them."""

import base64
import io
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.handlers import EVENTS, ColdStart, aws_stub, install
from bench.results import Options, Section, Table
from orchestration.cost import memory_mb
from orchestration.package import TEMPLATE

# Lambda gives a function a core for each so many MB: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
_MB_OF_A_CORE = 1769
_LARGEST: dict[str, tuple[str, tuple[int, int], dict[str, Any]]] = {
    "PNG, 36 megapixels": ("PNG", (6000, 6000), {"compress_level": 1}),
    "JPEG, 40 megapixels": ("JPEG", (8000, 5000), {"quality": 85}),
    "progressive JPEG, 40 megapixels": ("JPEG", (8000, 5000), {"quality": 85, "progressive": True}),
    "GIF, 36 megapixels": ("GIF", (6000, 6000), {}),
    "WebP, 16 megapixels": ("WEBP", (4000, 4000), {"quality": 80}),
}


def measure(options: Options) -> Section:
    """Start each function on each of its largest inputs."""
    figures = _best_of(1 if options.quick else 3)
    rows = []
    for name, each in figures.items():
        memory, timeout = _template_limits(name.partition(":")[0])
        scaled = round(each["ms"] / min(1.0, memory / _MB_OF_A_CORE))
        rows.append((name, each["mib"], memory, each["ms"], scaled, timeout))
    header = ["input", "peak MiB", "configured MB", "ms on a core", "ms at that memory", "timeout, s"]
    method = (
        "Each in its own process, start included, the best of three runs, on the largest images accepted. Lambda "
        f"gives a core for each {_MB_OF_A_CORE:,} MB, so that the last column but one is what those milliseconds would "
        "become there: an estimate, not a measurement. Memory beyond the peak is for the share of a core that comes "
        "with it."
    )
    return Section("Lambda limits", method, [Table.of(header, rows)], (), figures)


def _best_of(runs: int) -> dict[str, dict[str, int]]:
    """Return peak memory in MiB and milliseconds by ``service: input``."""
    figures: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        handlers = install(Path(scratch))

        def run(service: str, name: str, event: dict[str, Any], image: bytes | None = None) -> None:
            with aws_stub(image) as url:
                starts = [ColdStart.of(handlers[service][0], json.dumps(event), url) for _ in range(runs)]
            best = min(starts, key=lambda start: start.milliseconds)
            figures[f"{service}: {name}"] = {"ms": round(best.milliseconds), "mib": round(best.mebibytes)}

        for name, (file_format, size, options) in _LARGEST.items():
            run("serialize", name, EVENTS["serialize"], _image(file_format, size, options))
        largest = base64.b64encode(np.random.default_rng(0).bytes(180 * 1024)).decode()
        # One argument of a process has at most 128 KiB on Linux.
        run("classify", "120 KB of base64", EVENTS["classify"] | {"image_data": largest[:120_000]})
        run("filter", "two probabilities", EVENTS["filter"])
    return figures


def _image(file_format: str, size: tuple[int, int], options: dict[str, Any]) -> bytes:
    """Return an image of grey patches, which compresses well enough for the limit on an object's bytes."""
    out = io.BytesIO()
    patches = Image.effect_noise((500, 500), 80).resize(size, Image.Resampling.NEAREST)
    patches.convert("RGB").save(out, file_format, **options)
    return out.getvalue()


def _template_limits(service: str) -> tuple[int, int]:
    """Return a function's memory in MB and its timeout in seconds, from the template."""
    block = TEMPLATE.read_text("utf-8").split(f"\n  {service.capitalize()}Function:\n", 1)[1]
    seconds = re.search(r"^ +Timeout: (\d+)", block, re.MULTILINE)
    if seconds is None:
        raise ValueError(f"the template gives {service.capitalize()}Function no Timeout")
    return memory_mb(service), int(seconds[1])
