"""Writes captures in AWS's format: which calls, which part of them, in which encoding, and where in S3."""

import base64
import json
import random
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.s3_uris import S3Uri
from emulation.sagemaker.capture.buffer import CaptureBuffer, S3Object


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
