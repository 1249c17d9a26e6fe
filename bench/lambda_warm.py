"""An invocation of a warm handler by the size of its image: time and memory, compared with a plain boto3 handler."""

import base64
import io
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from bench.handlers import BASELINE_OF, AwsStub, aws_stub, install, process_environment
from bench.results import Options, Section, Table

_SIZES = {
    "32 px PNG": (32, "PNG"),
    "250 px PNG": (240, "PNG"),
    "1,000 px JPEG": (1000, "JPEG"),
    "12 MP JPEG": (3464, "JPEG"),
}
_LARGEST_PAYLOAD = 180 * 1024  # SerializeImageData passes on no more
_PROGRAM = """
import contextlib, io, json, sys, time, tracemalloc
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


def measure(options: Options) -> Section:
    """Invoke ours and the baseline's handler on images of growing size."""
    rounds = 5 if options.quick else 40
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as scratch, aws_stub() as url:
        handlers = install(Path(scratch))

        def compare(title: str, name: str, event: dict[str, str]) -> None:
            ours, theirs = (_invoked(handlers[each][0], event, url, rounds) for each in (name, BASELINE_OF[name]))
            figures[title] = {"ms": ours[0], "baseline_ms": theirs[0], "kib": ours[1], "baseline_kib": theirs[1]}

        for size, (side, file_format) in _SIZES.items():
            content = AwsStub.image = _image(side, file_format)
            title = f"{size}, {len(content) / 1024:.0f} KiB"
            compare(f"serialize, {title}", "serialize", json.loads(handlers["serialize"][1]))
            if len(content) < _LARGEST_PAYLOAD:
                event = json.loads(handlers["classify"][1]) | {"image_data": base64.b64encode(content).decode()}
                compare(f"classify, {title}", "classify", event)
        compare("filter", "filter", json.loads(handlers["filter"][1]))
    rows = [
        (title, f"{each['ms']:.3f}", f"{each['baseline_ms']:.3f}", f"{each['kib']:.0f}", f"{each['baseline_kib']:.0f}")
        for title, each in figures.items()
    ]
    method = (
        f"Medians of {rounds} invocations of a warm process, against the stand-in on loopback; the baseline is the "
        "plain boto3 handler, which neither checks the image nor makes it fit a state (the empty one for filter). KiB: "
        "the most that Python allocates during one invocation; Pillow's pixels are not among it."
    )
    table = Table.of(["handler, image", "ms", "baseline ms", "KiB", "baseline KiB"], rows)
    return Section("Warm invocation", method, [table], (), figures)


def _image(side: int, file_format: str) -> bytes:
    """Return a square image of smooth noise, about as large as a photograph of that size."""
    coarse = np.random.default_rng(side).integers(0, 256, (max(2, side // 8),) * 2 + (3,), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC).save(out, file_format)
    return out.getvalue()


def _invoked(folder: Path, event: dict[str, str], url: str, rounds: int) -> tuple[float, float]:
    """Return median milliseconds and peak KiB of the handler in its own process."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(rounds)],
        cwd=folder,
        env=process_environment(folder, url),
        input=json.dumps(event),
        check=True,
        capture_output=True,
        text=True,
    )
    milliseconds, peak = json.loads(done.stdout.splitlines()[-1])
    return statistics.median(milliseconds), peak
