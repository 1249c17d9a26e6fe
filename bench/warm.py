"""An invocation of a warm handler by the size of its image: time and memory, beside a plain boto3 handler."""

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.lambda_start import _Answer, lay_out, stand_in
from bench.results import Section

SIZES = {
    "32 px PNG": (32, "PNG"),
    "250 px PNG": (240, "PNG"),
    "1,000 px JPEG": (1000, "JPEG"),
    "12 MP JPEG": (3464, "JPEG"),
}
_RIVAL = {"serialize": "boto3.client, S3", "classify": "boto3.client, SageMaker runtime"}
_PROGRAM = """
import base64, contextlib, io, json, sys, time, tracemalloc
event, rounds = json.loads(sys.stdin.read()), int(sys.argv[1])
from handler import handler
context = type("Context", (), {"aws_request_id": "0" * 36, "get_remaining_time_in_millis": lambda self: 60000})()
taken = []
with contextlib.redirect_stdout(io.StringIO()):
    for _ in range(3):
        handler(event, context)
    for _ in range(rounds):
        began = time.perf_counter()
        handler(event, context)
        taken.append((time.perf_counter() - began) * 1e3)
    tracemalloc.start()
    handler(event, context)
    peak = tracemalloc.get_traced_memory()[1]
print(json.dumps([taken, peak / 1024]))
"""


def picture(side: int, kind: str) -> bytes:
    """Return a square image of smooth noise, about as large as a photograph of that size."""
    coarse = np.random.default_rng(side).integers(0, 256, (max(2, side // 8),) * 2 + (3,), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def _invoked(place: Path, event: dict[str, str], address: str, rounds: int) -> tuple[list[float], float]:
    environment = {
        "PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": address, "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench", "ENDPOINT_NAME": "bench", "HOME": str(place),
    }  # fmt: skip
    command = [sys.executable, "-c", _PROGRAM, str(rounds)]
    done = subprocess.run(
        command, cwd=place, env=environment, input=json.dumps(event), check=True, capture_output=True, text=True
    )
    taken, peak = json.loads(done.stdout.splitlines()[-1])
    return taken, peak


def section(options: Any) -> Section:
    """Measure for `make bench`."""
    rounds = 5 if options.quick else 40
    rows, figures = [], {}
    with tempfile.TemporaryDirectory() as scratch, stand_in() as address:
        laid = lay_out(Path(scratch))
        for size, (side, kind) in SIZES.items():
            content = picture(side, kind)
            _Answer.image = content
            for name in ("serialize", "classify"):
                event = json.loads(laid[name][1])
                if name == "classify" and len(content) < 180 * 1024:
                    import base64  # noqa: PLC0415

                    event |= {"image_data": base64.b64encode(content).decode()}
                elif name == "classify":
                    continue  # SerializeImageData never sends so much
                ours, held = _invoked(laid[name][0], event, address, rounds)
                theirs, rival_held = _invoked(laid[_RIVAL[name]][0], event, address, rounds)
                middle, other = statistics.median(ours), statistics.median(theirs)
                rows.append(
                    [
                        f"{name}, {size}, {len(content) / 1024:.0f} KiB",
                        f"{middle:.2f}",
                        f"{other:.2f}",
                        f"{held:.0f}",
                        f"{rival_held:.0f}",
                    ]
                )
                figures[f"{name} {size}"] = {"ms": middle, "rival_ms": other, "kib": held, "rival_kib": rival_held}
        event = json.loads(laid["filter"][1])
        ours, held = _invoked(laid["filter"][0], event, address, rounds)
        theirs, rival_held = _invoked(laid["empty handler"][0], {}, address, rounds)
        rows.append(
            [
                "filter",
                f"{statistics.median(ours):.3f}",
                f"{statistics.median(theirs):.3f}",
                f"{held:.0f}",
                f"{rival_held:.0f}",
            ]
        )
    how = (
        f"Medians of {rounds} invocations of a warm process, against the stand-in on loopback; the rival is the plain "
        "boto3 handler, which neither looks at the image nor makes it fit a state (the empty one for filter). KiB: the "
        "most that Python allocates during one invocation; Pillow's pixels are not among it."
    )

    return Section("Warm invocation", how, ["handler, image", "ms", "rival ms", "KiB", "rival KiB"], rows, (), figures)
