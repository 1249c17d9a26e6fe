"""Data capture in AWS's format: which calls, which part of them, in which encoding, and where in S3.

Records are buffered in files on their way to S3, so that neither a crash nor an outage of S3 loses one.
"""

import asyncio
import base64
import json
import logging
import random
import time
import uuid
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from botocore.exceptions import BotoCoreError, ClientError

from core.files import write_atomically
from core.s3_uris import S3Uri
from emulation.sagemaker import aws_clients

log = logging.getLogger(__name__)
_RECORDS = ".jsonl"
_DESTINATION = ".target.json"
_RETRY_SECONDS = 5.0
_MAX_BUFFERED_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class S3Object:
    """The S3 object that a file of records becomes."""

    bucket: str
    key: str
    kms_key: str = ""


@dataclass(frozen=True)
class Thresholds:
    """When a file of records is complete."""

    seconds: float = 2.0
    records: int = 1000
    bytes: int = 8 * 1024 * 1024


class _File:
    """The records that go to one object."""

    def __init__(self, directory: Path, target: S3Object, opened: float) -> None:
        name = uuid.uuid4().hex
        self.path = directory / (name + _RECORDS)
        self.opened = opened
        self.records = 0
        self.bytes = 0
        write_atomically(directory / (name + _DESTINATION), json.dumps(asdict(target)).encode())
        self._file: BinaryIO = self.path.open("xb", buffering=0)

    def append(self, line: bytes) -> None:
        """Write one whole line, or none of it."""
        try:
            view = memoryview(line)
            while view:
                view = view[self._file.write(view) :]
        except OSError:
            self._file.truncate(self.bytes)
            self._file.seek(self.bytes)
            raise
        self.records += 1
        self.bytes += len(line)

    def close(self) -> None:
        self._file.close()


class CaptureBuffer:
    """Every file of captured records of the account, and the task that uploads them."""

    def __init__(
        self,
        directory: Path,
        client: aws_clients.S3 | None,
        thresholds: Thresholds,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._client = client
        self._thresholds = thresholds
        self._now = now
        self._open: dict[str, _File] = {}
        self._uploading = asyncio.Lock()
        self._refused: dict[Path, float] = {}
        self._buffered_bytes = sum(path.stat().st_size for path in directory.glob(f"*{_RECORDS}"))
        self.recorded = 0
        self.uploaded = 0
        self.lost = 0

    def append(self, folder: str, line: bytes, target: Callable[[], S3Object]) -> None:
        """Add a record to the open file for ``folder``; ``target`` names its object when it is the first."""
        if self._client is None:
            return
        try:
            if self._buffered_bytes + len(line) > _MAX_BUFFERED_BYTES:
                raise OSError(f"S3 has taken none of the last {self._buffered_bytes} bytes")
            file = self._open.get(folder)
            if file is None:
                file = self._open[folder] = _File(self._directory, target(), self._now())
            file.append(line)
        except OSError as error:  # a full disk must not fail the invocation: it does not on AWS either
            self.lost += 1
            log.error("a captured record was lost: %s", error)  # noqa: TRY400 - not a defect: no traceback
            return
        self.recorded += 1
        self._buffered_bytes += len(line)
        if file.records >= self._thresholds.records or file.bytes >= self._thresholds.bytes:
            self._close(folder)

    def waiting(self) -> int:
        """Return how many files are not in S3 yet."""
        return sum(1 for _ in self._directory.glob(f"*{_RECORDS}"))

    async def run(self) -> None:
        """Close files as they come of age and upload them, for ever; what is left from before a crash goes first."""
        while True:
            await self.upload()
            await asyncio.sleep(min(0.2, self._thresholds.seconds / 2))
            self._close_older_than(self._thresholds.seconds)

    async def flush(self) -> bool:
        """Close every file and upload it now; False where S3 would not take some, which are tried again later."""
        self._close_older_than(0)
        self._refused.clear()
        return await self.upload()

    async def upload(self) -> bool:
        """Upload every closed file; False where S3 would not take some. Cancelling does not cut an upload short."""
        return await asyncio.shield(self._upload())

    async def _upload(self) -> bool:
        delivered = True
        async with self._uploading:
            busy = {file.path for file in self._open.values()}
            for path in sorted(self._directory.glob(f"*{_RECORDS}")):
                if path in busy or self._client is None or self._refused.get(path, 0) > self._now():
                    continue
                try:
                    self.uploaded += await asyncio.to_thread(self._deliver, self._client, path)
                    self._refused.pop(path, None)
                except (ClientError, BotoCoreError, OSError, ValueError, TypeError) as error:
                    log.warning("captured records remain in %s until S3 accepts them: %s", path, error)
                    self._refused[path] = self._now() + _RETRY_SECONDS
                    delivered = False
        return delivered

    def _close_older_than(self, seconds: float) -> None:
        for folder, file in list(self._open.items()):
            if self._now() - file.opened >= seconds:
                self._close(folder)

    def _close(self, folder: str) -> None:
        self._open.pop(folder).close()

    def _deliver(self, client: aws_clients.S3, path: Path) -> int:
        """Put one file into S3 and delete it; return how many records it held."""
        sidecar = path.with_name(path.name.removesuffix(_RECORDS) + _DESTINATION)
        target = S3Object(**json.loads(sidecar.read_bytes()))
        content = path.read_bytes()
        whole = content[
            : content.rfind(b"\n") + 1
        ]  # a crash may have cut the last line, whose call never got a response
        if whole:
            encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": target.kms_key} if target.kms_key else {}
            client.put_object(Bucket=target.bucket, Key=target.key, Body=whole, **encryption)
        self._buffered_bytes -= len(content)
        path.unlink()
        sidecar.unlink()
        return whole.count(b"\n")


@dataclass(frozen=True)
class Invocation:
    """One invocation of the model, with its response."""

    content_type: str
    body: bytes
    response_type: str
    response: bytes
    inference_id: str | None


class CaptureWriter:
    """Captures the calls to one variant of one endpoint, as its ``DataCaptureConfig`` says."""

    def __init__(
        self,
        config: dict[str, Any],
        endpoint: str,
        variant: str,
        capture_buffer: CaptureBuffer,
        random_generator: random.Random,
    ) -> None:
        headers = config.get("CaptureContentTypeHeader", {})
        modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
        self._input = bool(modes & {"Input", "InputAndOutput"})
        self._output = bool(modes & {"Output", "InputAndOutput"})
        self._share = config["InitialSamplingPercentage"] / 100 if config.get("EnableCapture", True) else 0.0
        self._encodings = _by_type(headers.get("CsvContentTypes", ()), "CSV") | _by_type(
            headers.get("JsonContentTypes", ()), "JSON"
        )
        self._bucket, prefix = S3Uri.parse(config["DestinationS3Uri"])
        self._prefix = "/".join(part for part in (prefix.strip("/"), endpoint, variant) if part)
        self._kms_key = config.get("KmsKeyId", "")
        self._capture_buffer = capture_buffer
        self._random = random_generator

    def take(self, invocation: Invocation, at: datetime) -> None:
        """Capture this call if it is in the sample. After this returns, the record outlives the process."""
        if self._random.random() >= self._share:
            return
        data: dict[str, Any] = {}
        if self._input:
            data["endpointInput"] = self._part(invocation.content_type, "INPUT", invocation.body)
        if self._output:
            data["endpointOutput"] = self._part(invocation.response_type, "OUTPUT", invocation.response)
        metadata = {"eventId": str(uuid.uuid4()), "inferenceTime": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
        if invocation.inference_id is not None:
            metadata["inferenceId"] = invocation.inference_id
        record = {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        self._capture_buffer.append(f"{self._bucket}/{self._prefix}/{at:%Y/%m/%d/%H}", line, lambda: self._target(at))

    def _target(self, at: datetime) -> S3Object:
        name = f"{at:%M-%S}-{at.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
        return S3Object(self._bucket, f"{self._prefix}/{at:%Y/%m/%d/%H}/{name}", self._kms_key)

    def _part(self, content_type: str, mode: str, data: bytes) -> dict[str, str]:
        encoding = self._encodings.get(_bare(content_type), "BASE64")
        try:
            text = base64.b64encode(data).decode() if encoding == "BASE64" else data.decode()
        except UnicodeDecodeError:
            encoding, text = "BASE64", base64.b64encode(data).decode()
        return {"observedContentType": content_type, "mode": mode, "data": text, "encoding": encoding}


def utc(seconds: float) -> datetime:
    """Return a time of the emulator's clock as the moment that captures carry."""
    return datetime.fromtimestamp(seconds, UTC)


def _by_type(types: Collection[str], encoding: str) -> dict[str, str]:
    return {_bare(name): encoding for name in types}


def _bare(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
