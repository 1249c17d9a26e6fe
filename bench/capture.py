"""How fast captures are read, and in how much memory.

python -m bench.capture [--records 100000] [--files 500] [--hours 10] [--window]

Writes records in AWS's layout into a folder, half of the files packed, with records that nobody should trip over, and
reads them through a client that answers from that folder in the shapes of botocore's own S3 model.
"""

import argparse
import base64
import gzip
import json
import resource
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.session
import numpy as np
from botocore.response import StreamingBody
from botocore.validate import validate_parameters

from monitoring.capture import Place, Reading
from monitoring.window import Window

PLACE = Place("bench", "capture", "vehicles")
START = datetime(2026, 3, 1, tzinfo=UTC)
IMAGE_BYTES = 2_500  # what a CIFAR image is as PNG, about
_PAGE = 1000
_MIB = 1 << 20


class Folder:
    """An S3 client that answers from a folder and counts its calls; parameters are checked against botocore's model."""

    def __init__(self, root: Path) -> None:
        self.calls = {"ListObjectsV2": 0, "GetObject": 0}
        self._root = root
        self._model = botocore.session.get_session().get_service_model("s3")

    def get_paginator(self, _operation: str) -> "Folder":
        """The paginator of list_objects_v2, which this is itself."""
        return self

    def paginate(self, **given: Any) -> Iterator[dict[str, Any]]:
        """Pages of a thousand keys."""
        self._checked("ListObjectsV2", given, count=False)
        folder = self._root / given["Prefix"]
        keys = sorted(given["Prefix"] + path.name for path in folder.iterdir()) if folder.is_dir() else []
        keys = [key for key in keys if key > given.get("StartAfter", "")]
        for first in range(0, max(1, len(keys)), _PAGE):
            self.calls["ListObjectsV2"] += 1
            page = keys[first : first + _PAGE]
            yield (
                {"Contents": [{"Key": key, "Size": (self._root / key).stat().st_size} for key in page]} if page else {}
            )

    def get_object(self, **given: Any) -> dict[str, Any]:
        """The content as botocore streams it."""
        self._checked("GetObject", given, count=True)
        path = self._root / given["Key"]
        return {"Body": StreamingBody(path.open("rb"), path.stat().st_size)}

    def _checked(self, operation: str, given: dict[str, Any], *, count: bool) -> None:
        validate_parameters(given, self._model.operation_model(operation).input_shape)
        self.calls[operation] += count


def record(number: int, when: datetime, image: str) -> bytes:
    """One line as the endpoint writes it."""
    p = 0.5 + (number % 1000) / 2000
    answer = {
        "observedContentType": "application/json",
        "mode": "OUTPUT",
        "data": f"[{p}, {1 - p}]",
        "encoding": "JSON",
    }
    asked = {"observedContentType": "image/png", "mode": "INPUT", "data": image, "encoding": "BASE64"}
    body = {
        "captureData": {"endpointInput": asked, "endpointOutput": answer},
        "eventMetadata": {"eventId": str(uuid.UUID(int=number)), "inferenceTime": f"{when:%Y-%m-%dT%H:%M:%SZ}"},
        "eventVersion": "0",
    }
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


def write(root: Path, records: int, files: int, hours: int) -> None:
    """Write the files, spread evenly over the hours; one in a hundred ends in a torn line."""
    dice = np.random.default_rng(0)
    image = base64.b64encode(dice.bytes(IMAGE_BYTES)).decode()
    step = timedelta(hours=hours) / files
    bounds = np.linspace(0, records, files + 1).astype(int)
    for number in range(files):
        when = START + number * step
        content = b"".join(record(row, when, image) for row in range(bounds[number], bounds[number + 1]))
        if number % 100 == 0:
            content += b'{"captureData":{"endpointIn'
        packed = number % 2 == 1
        name = f"{when:%M-%S}-{when.microsecond // 1000:03d}-{uuid.UUID(int=number)}.jsonl{'.gz' if packed else ''}"
        path = root / PLACE.root / f"{when:%Y/%m/%d/%H}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content, 1) if packed else content)


def _peak() -> float:
    """The most memory that this process ever held, in MiB."""
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / _MIB


def main(arguments: list[str] | None = None) -> int:
    """Write, read, and say what it took."""
    parser = argparse.ArgumentParser(prog="bench.capture", description="Measure the reading of captures.")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--hours", type=int, default=10, help="over how many hours the records are spread")
    parser.add_argument("--window", action="store_true", help="collect the figures for drift, images included")
    given = parser.parse_args(arguments)
    root = Path(tempfile.mkdtemp(prefix="scones-bench-"))
    try:
        write(root, given.records, given.files, given.hours)
        size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) / _MIB
        s3, before, began, used = Folder(root), _peak(), time.monotonic(), time.process_time()
        reading = Reading(s3, PLACE, START, START + timedelta(hours=given.hours))
        found = len(Window.of(reading)) if given.window else sum(1 for _ in reading)
        seconds, used = time.monotonic() - began, time.process_time() - used
        report = reading.report
        print(
            f"{found:,} of {given.records:,} records "
            f"from {report.files} files, {size:.0f} MiB, {report.torn} torn lines"
        )
        print(
            f"{seconds:.1f} s, {found / seconds:,.0f} records/s; {found / used:,.0f} records a second of processor time"
        )
        print(f"peak memory {_peak():.0f} MiB, {before:.0f} before")
        print(f"S3 calls: {s3.calls}, for {given.hours} hours")
        hour = Folder(root)
        few = Reading(hour, PLACE, START + timedelta(hours=2), START + timedelta(hours=3))
        print(f"one hour of them: {sum(1 for _ in few):,} records, S3 calls: {hour.calls}")
    finally:
        shutil.rmtree(root)
    return 0 if found == given.records else 1


if __name__ == "__main__":
    raise SystemExit(main())
