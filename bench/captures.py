"""How fast captures are read, and in how much memory.

Records in AWS's layout are written to a folder, half of the files gzipped, some with a torn last line, and read through
a client that responds from that folder in the shapes of botocore's own S3 model.
"""

import base64
import gzip
import json
import multiprocessing
import resource
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.session
import numpy as np
from botocore.response import StreamingBody
from botocore.validate import validate_parameters

from bench.results import Claim, Options, Section, Table
from monitoring.capture import CaptureLocation, CaptureReader

_LOCATION = CaptureLocation("bench", "capture", "vehicles")
_START = datetime(2026, 3, 1, tzinfo=UTC)
_IMAGE_BYTES = 2_500  # about a CIFAR image as PNG
_RECORDS_A_FILE = 200
_HOURS = 10
_PAGE = 1000
_MIB = 1 << 20


def measure(options: Options) -> Section:
    """Read growing numbers of records, each in its own process."""
    sizes = (1_000, 2_000) if options.quick else (10_000, 100_000, 300_000)
    spawn = multiprocessing.get_context("spawn")
    figures = {}
    for size in sizes:
        with ProcessPoolExecutor(1, mp_context=spawn) as pool:
            figures[str(size)] = pool.submit(_read, size).result()
    rows = [
        (f"{int(size):,} in {each['files']} files, {each['mib']:.0f} MiB", each["read"], f"{each['per_second']:,.0f}",
         f"{each['peak_mib']:.0f} ({each['before_mib']:.0f})", each["listings"], each["hour_listings"])
        for size, each in figures.items()
    ]  # fmt: skip
    peaks = [each["peak_mib"] for each in figures.values()]
    claims = [
        Claim("records that were not read", sum(int(size) - each["read"] for size, each in figures.items()), 0),
        Claim(f"peak memory of {sizes[-1]:,} records, of that of {sizes[0]:,}", round(peaks[-1] / peaks[0], 2), 1.5),
    ]
    header = ["records", "read", "a second", "peak MiB (before)", f"listings for {_HOURS} hours", "for one of them"]
    method = (
        f"Captured records of {_IMAGE_BYTES:,} bytes of image, {_RECORDS_A_FILE} a file, half of them gzipped, one in "
        "a hundred with a torn last line. Memory grows with the size of a file, nine of which are held at a time, "
        "and not with their number."
    )
    return Section("Captures", method, [Table.of(header, rows)], claims, figures)


def _read(records: int) -> dict[str, Any]:
    """Write the records, read all of them, then one hour."""
    files = records // _RECORDS_A_FILE
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        _write(root, records, files)
        size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) / _MIB
        s3, before, began = FolderS3(root), _peak_mib(), time.monotonic()
        read = sum(1 for _ in CaptureReader(s3, _LOCATION, _START, _START + timedelta(hours=_HOURS)))
        seconds, peak, hour = time.monotonic() - began, _peak_mib(), FolderS3(root)
        list(CaptureReader(hour, _LOCATION, _START + timedelta(hours=2), _START + timedelta(hours=3)))
    return {
        "read": read, "files": files, "mib": size, "per_second": read / seconds, "peak_mib": peak, "before_mib": before,
        "listings": s3.listings, "hour_listings": hour.listings,
    }  # fmt: skip


class FolderS3:
    """An S3 client that reads a folder; parameters are checked against botocore's model."""

    def __init__(self, root: Path) -> None:
        self.listings = 0
        self._root = root
        self._model = botocore.session.get_session().get_service_model("s3")

    def get_paginator(self, _operation: str) -> "FolderS3":
        """Return the paginator of list_objects_v2, which this is itself."""
        return self

    def paginate(self, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Yield pages of a thousand keys."""
        self._validate("ListObjectsV2", parameters)
        folder = self._root / parameters["Prefix"]
        keys = sorted(parameters["Prefix"] + path.name for path in folder.iterdir()) if folder.is_dir() else []
        keys = [key for key in keys if key > parameters.get("StartAfter", "")]
        for first in range(0, max(1, len(keys)), _PAGE):
            self.listings += 1
            page = keys[first : first + _PAGE]
            yield (
                {"Contents": [{"Key": key, "Size": (self._root / key).stat().st_size} for key in page]} if page else {}
            )

    def get_object(self, **parameters: Any) -> dict[str, Any]:
        """Return the content as botocore streams it."""
        self._validate("GetObject", parameters)
        path = self._root / parameters["Key"]
        return {"Body": StreamingBody(path.open("rb"), path.stat().st_size)}

    def _validate(self, operation: str, parameters: dict[str, Any]) -> None:
        validate_parameters(parameters, self._model.operation_model(operation).input_shape)


def _write(root: Path, records: int, files: int) -> None:
    """Write the files, spread evenly over the hours; one in a hundred ends in a torn line."""
    image = base64.b64encode(np.random.default_rng(0).bytes(_IMAGE_BYTES)).decode()
    step = timedelta(hours=_HOURS) / files
    for number in range(files):
        when = _START + number * step
        rows = range(number * records // files, (number + 1) * records // files)
        content = b"".join(_line(row, when, image) for row in rows)
        if number % 100 == 0:
            content += b'{"captureData":{"endpointIn'
        gzipped = number % 2 == 1
        name = f"{when:%M-%S}-{when.microsecond // 1000:03d}-{uuid.UUID(int=number)}.jsonl{'.gz' if gzipped else ''}"
        path = root / _LOCATION.root / f"{when:%Y/%m/%d/%H}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content, 1) if gzipped else content)


def _line(number: int, when: datetime, image: str) -> bytes:
    """Return one record as the endpoint writes it."""
    p = 0.5 + (number % 1000) / 2000
    output = {
        "observedContentType": "application/json", "mode": "OUTPUT", "data": f"[{p}, {1 - p}]", "encoding": "JSON",
    }  # fmt: skip
    sent = {"observedContentType": "image/png", "mode": "INPUT", "data": image, "encoding": "BASE64"}
    record = {
        "captureData": {"endpointInput": sent, "endpointOutput": output},
        "eventMetadata": {"eventId": str(uuid.UUID(int=number)), "inferenceTime": f"{when:%Y-%m-%dT%H:%M:%SZ}"},
        "eventVersion": "0",
    }
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def _peak_mib() -> float:
    """Return the most memory that this process ever held."""
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / _MIB
