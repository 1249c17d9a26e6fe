"""Captured records in the form in which SageMaker writes them, and an S3 that holds them."""

import base64
import gzip
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import botocore.session
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.validate import validate_parameters

from monitoring.capture import CaptureLocation

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
LOCATION = CaptureLocation("bucket", "capture", "scones")


def record(
    event_id: str,
    time: datetime = NOON,
    answer: str = "[0.9936863780021667, 0.006313604768365622]",
    encoding: str = "JSON",
    image: bytes | None = b"\x89PNG",
    **meta: str,
) -> dict[str, Any]:
    """One record, as the endpoints of this exercise write it: the request in base64, the answer as text."""
    data = {"endpointOutput": {"observedContentType": "application/json", "mode": "OUTPUT", "data": answer}}
    data["endpointOutput"]["encoding"] = encoding
    if image is not None:
        body = base64.b64encode(image).decode()
        sent = {"observedContentType": "application/x-image", "mode": "INPUT", "data": body, "encoding": "BASE64"}
        data = {"endpointInput": sent} | data
    metadata = {"eventId": event_id, "inferenceTime": f"{time:%Y-%m-%dT%H:%M:%SZ}"} | meta
    return {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}


def line(*args: Any, **kwargs: Any) -> bytes:
    """One record as a line without its end."""
    return json.dumps(record(*args, **kwargs), separators=(",", ":")).encode()


def file(*lines: bytes, packed: bool = False) -> bytes:
    content = b"".join(each + b"\n" for each in lines)
    return gzip.compress(content) if packed else content


def key(time: datetime, name: str = "a", suffix: str = ".jsonl") -> str:
    return f"{LOCATION.root}/{time:%Y/%m/%d/%H/%M-%S}-305-{name}{suffix}"


class FakeS3:
    """Objects by key. Parameters are checked against botocore's model; calls are counted."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects
        self.vanished: set[str] = set()
        self.listed: list[str] = []
        self.fetched: list[str] = []
        self._model = botocore.session.get_session().get_service_model("s3")

    def get_paginator(self, operation: str) -> "FakeS3":
        assert operation == "list_objects_v2"
        return self

    def paginate(self, **parameters: Any) -> Iterator[dict[str, Any]]:
        self._check("ListObjectsV2", parameters)
        self.listed.append(parameters["Prefix"])
        keys = [
            k
            for k in sorted(self.objects)
            if k.startswith(parameters["Prefix"]) and k > parameters.get("StartAfter", "")
        ]
        yield {"Contents": [{"Key": k, "Size": len(self.objects[k])} for k in keys]} if keys else {}

    def get_object(self, **parameters: Any) -> dict[str, Any]:
        self._check("GetObject", parameters)
        self.fetched.append(parameters["Key"])
        if parameters["Key"] in self.vanished:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "gone"}}, "GetObject")
        body = self.objects[parameters["Key"]]
        return {"Body": StreamingBody(io.BytesIO(body), len(body))}

    def _check(self, operation: str, parameters: dict[str, Any]) -> None:
        shape = self._model.operation_model(operation).input_shape
        assert shape is not None
        validate_parameters(parameters, shape)
