"""The three Lambdas. Each imports its own modules by bare names, so a process knows one service only."""

import io
import json
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PIL import Image

from tests.quality.fuzz.target import JSON_WORDS, Target
from tests.training.serving import heic_images

_SERVICES = Path(__file__).resolve().parents[3] / "services"
_CONTEXT = SimpleNamespace(aws_request_id="4f2b")


def _module(service: str, name: str) -> Any:
    folder = str(_SERVICES / service)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return import_module(name)


def encoded(kind: str, mode: str = "RGB", side: int = 24, **options: object) -> bytes:
    """Return a small image file of noise."""
    grey = Image.effect_noise((side, side), 90)
    image = grey.quantize(16) if mode == "P" else grey.convert("L").convert(mode)
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def images() -> tuple[bytes, ...]:
    """Return images of each kind that is read, and of one that is not."""
    return (
        encoded("PNG"), encoded("PNG", "P", transparency=3), encoded("PNG", "I;16"), encoded("PNG", "RGBA"),
        encoded("JPEG"), encoded("JPEG", progressive=True), encoded("JPEG", "CMYK"), encoded("GIF", "P"),
        encoded("WEBP"), encoded("WEBP", "RGBA", lossless=True), encoded("AVIF"), heic_images.UPRIGHT,
        heic_images.TURNED, encoded("JPEG") + b"\xff\xda" * 9, encoded("BMP"),
    )  # fmt: skip


def _event(data: bytes) -> object:
    """Return the event that ``data`` is as JSON, which Lambda decodes before a handler sees it, or else as text."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return data.decode("utf-8", "surrogateescape")


def filter_event() -> Target:
    """FilterInferences, from the event on."""
    handler, errors = _module("filter", "handler"), _module("filter", "errors")
    seeds = (
        b'{"s3_bucket": "b", "s3_key": "k", "inferences": [0.97, 0.03]}',
        b'{"s3_bucket": "b", "s3_key": "k", "inferences": [0.4, 0.6], "threshold": 0.5}',
    )

    def one(data: bytes) -> None:
        response = handler.handler(_event(data), _CONTEXT)
        assert response["confidence"] >= response["threshold"] >= 0.5
        json.dumps(response, allow_nan=False).encode()

    return Target(one, (errors.FilterError,), seeds, JSON_WORDS)


def filter_threshold() -> Target:
    """FilterInferences' own setting."""
    settings, errors = _module("filter", "settings"), _module("filter", "errors")
    words = (b"nan", b"inf", b"1e-1", b"_", b"0x1", "\u0660".encode())
    return Target(
        lambda data: settings.parse_threshold(data.decode("utf-8", "replace")),
        (errors.FilterError,),
        (b"0.94", b"1", b" 0.5 "),
        words,
    )


def serialize_image() -> Target:
    """SerializeImageData's decoder: bombs, damaged files, anything."""
    image, errors = _module("serialize", "image"), _module("serialize", "errors")

    def one(data: bytes) -> None:
        content, kind = image.fit(data)
        assert len(content) <= image.MAX_IMAGE_BYTES
        assert kind in {"image/png", "image/jpeg"}

    padded = tuple(each + bytes(image.MAX_IMAGE_BYTES) for each in images()[:6])
    words = (b"IHDR", b"IDAT", b"tRNS", b"acTL", b"\xff\xda", b"\xff\xc0", b"Exif\0\0MM\0*", b"ANIM", b"VP8X")
    return Target(one, (errors.SerializeError,), (*images(), *padded), words, longest=400_000)


def serialize_event() -> Target:
    """SerializeImageData, from the event and from whatever S3 responses."""
    handler, errors, objects = (_module("serialize", name) for name in ("handler", "errors", "s3_objects"))
    responses = _Responses()
    store = objects.ObjectStore(responses, "us-east-1", objects.Credentials("x", "x", None))
    objects.time = SimpleNamespace(sleep=lambda _seconds: None)  # its own retries, at once
    event = b'{"s3_bucket": "images", "s3_key": "in/a%20b+c.png"}'
    missing = b"404|<Error><Code>NoSuchKey</Code><Message>No.</Message></Error>"
    slow = b"503|<Error><Code>SlowDown</Code></Error>"
    seeds = tuple(event + b"\n" + response for response in (b"200|" + encoded("PNG"), missing, slow, b"500|<html>"))
    words = (
        *JSON_WORDS,
        b"%2F",
        b"+",
        b"arn:aws:s3:us-east-1:123456789012:accesspoint/a",
        b"../..",
        b"\n200|",
        b"\n403|<",
    )

    def one(data: bytes) -> None:
        head, _, responses.rest = data.partition(b"\n")
        json.dumps(handler.serialize(_event(head), store), allow_nan=False).encode()

    return Target(one, (errors.SerializeError,), seeds, words)


def classify_event() -> Target:
    """ClassifyImageData, from the event and from whatever the endpoint responses."""
    handler, errors, endpoint = (_module("classify", name) for name in ("handler", "errors", "endpoint"))
    responses = _Responses()
    runtime = endpoint.EndpointRuntime(
        responses, "us-east-1", endpoint.Credentials("x", "x", None), "https://runtime.sagemaker"
    )
    event = b'{"s3_bucket": "b", "s3_key": "k", "image_data": "aGk=", "content_type": "image/png"}'
    replies = (
        b"200|[0.97, 0.03]", b'200|{"prediction": [0.25, 0.75]}',
        b'424|{"OriginalStatusCode": 415, "OriginalMessage": "x"}',
        b'400|{"Message": "Endpoint vehicles not found."}', b'429|{"Message": "busy"}', b"503|<html>", b"500|[]",
    )  # fmt: skip
    seeds = tuple(event + b"\n" + reply for reply in replies)
    words = (
        *JSON_WORDS,
        b'"prediction"',
        b'"OriginalStatusCode"',
        b'"Message"',
        b"\n200|",
        b"\n424|",
        b"YQ==",
        b"====",
    )

    def one(data: bytes) -> None:
        head, _, responses.rest = data.partition(b"\n")
        json.dumps(handler.classify(_event(head), runtime, "vehicles"), allow_nan=False).encode()

    return Target(one, (errors.ClassifyError,), seeds, words)


class _Responses:
    """An HTTP session that sends nothing and responds with ``rest``: ``status|body``."""

    rest = b""

    def send(self, request: Any) -> Any:
        """Return the response."""
        from botocore.awsrequest import AWSResponse  # noqa: PLC0415 - the other targets do without botocore

        status, _, body = self.rest.partition(b"|")
        code = int(status) if status.isdigit() and len(status) == 3 and status >= b"200" else 200
        return AWSResponse(request.url, code, {"content-length": str(len(body))}, _Raw(body))


class _Raw(io.BytesIO):
    """A body as urllib3 hands it on."""

    def stream(self, **_: object) -> Any:
        """Yield all of it."""
        yield self.read()
