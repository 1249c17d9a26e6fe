"""ClassifyImageData: a SageMaker endpoint says what the image shows.

In       s3_bucket     str             passed on
         s3_key        str             passed on
         image_data    str             the image in base64, at most 6 MB of image
         content_type  str             "image/jpeg" or "image/png"
Out      s3_bucket     str
         s3_key        str
         inferences    [float, float]  probability of each label: each in 0..1, together 1 within 0.001
Errors   EndpointUnavailable and EndpointTimeout, which are worth a retry; EndpointNotFound, EndpointAccessDenied,
         EndpointRejectedImage, MalformedInference, InvalidInput, InvalidConfiguration

Further fields of the event are dropped, and so is the image. ENDPOINT_NAME in the environment names the endpoint. It is
asked once, for at most 33 s (3 to connect, 30 to answer): the function's own timeout must be longer. The request's id
goes along as the inference id, so that a captured record leads to the log line, and that to the image.
"""

# ruff: noqa: E402 - nothing that loads here is ever garbage, and looking for some takes a fifth of a cold start
import gc

gc.disable()

import binascii
import json
import os
import re

from client import EndpointRuntime, sagemaker_runtime
from endpoint import invoke
from errors import InvalidConfiguration, InvalidInput, quoted
from prediction import probabilities

gc.freeze()
gc.enable()

CONTENT_TYPES = ("image/jpeg", "image/png")
MAX_IMAGE_BYTES = 6_000_000
_ADVICE = "send what SerializeImageData answered"
_ENDPOINT_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


def handler(event: object, context: object) -> dict[str, object]:
    """Classify one image, as the Lambda runtime asks."""
    endpoint = parse_endpoint_name(os.environ.get("ENDPOINT_NAME"))
    return classify(event, sagemaker_runtime(), endpoint, request_id=getattr(context, "aws_request_id", ""))


def classify(event: object, runtime: EndpointRuntime, endpoint: str, request_id: str = "") -> dict[str, object]:
    """Return what ``endpoint`` thinks of the image in ``event``, and log one line about it."""
    bucket, key, image, content_type = parse_event(event)
    inferences = probabilities(invoke(runtime, endpoint, image, content_type, request_id))
    line = {
        "state": "ClassifyImageData",
        "request_id": request_id,
        "s3_bucket": bucket,
        "s3_key": key,
        "endpoint": endpoint,
        "image_bytes": len(image),
        "inferences": inferences,
    }
    print(json.dumps(line))
    return {"s3_bucket": bucket, "s3_key": key, "inferences": inferences}


def parse_endpoint_name(name: str | None) -> str:
    """Return ``name`` if an endpoint can have it, or raise :class:`InvalidConfiguration`."""
    if name is None or len(name) > 63 or not _ENDPOINT_NAME.fullmatch(name):
        raise InvalidConfiguration(
            f"ENDPOINT_NAME must be 1 to 63 letters, digits or inner hyphens, got {quoted(name)}: name an endpoint"
        )
    return name


def parse_event(event: object) -> tuple[str, str, bytes, str]:
    """Return bucket, key, image and content type, or raise :class:`InvalidInput`."""
    if not isinstance(event, dict):
        raise InvalidInput(f"the event must be a JSON object, got {quoted(event)}: {_ADVICE}")
    bucket, key, content_type = (_text(event, field) for field in ("s3_bucket", "s3_key", "content_type"))
    if content_type not in CONTENT_TYPES:
        raise InvalidInput(f"content_type must be one of {CONTENT_TYPES}, got {quoted(content_type)}: {_ADVICE}")
    return bucket, key, parse_image(event.get("image_data")), content_type


def parse_image(text: object) -> bytes:
    """Return the image that ``text`` holds in base64; its content is never part of a message."""
    if not isinstance(text, str) or not text:
        got = "an empty text" if text == "" else f"a value of type {type(text).__name__}"
        raise InvalidInput(f"image_data must be base64 text, got {got}: {_ADVICE}")
    if len(text) > -(-MAX_IMAGE_BYTES // 3) * 4:
        raise InvalidInput(
            f"image_data must hold at most {MAX_IMAGE_BYTES} bytes, got {len(text)} characters: {_ADVICE}"
        )
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError as error:
        raise InvalidInput(f"image_data is not base64, of {len(text)} characters: {_ADVICE}") from error


def _text(event: dict[str, object], field: str) -> str:
    value = event.get(field)
    if not isinstance(value, str) or not value or not _is_unicode(value):
        raise InvalidInput(f"{field} must be text that is not empty, got {quoted(value)}: {_ADVICE}")
    return value


def _is_unicode(text: str) -> bool:
    """Tell whether ``text`` can be written as UTF-8: JSON may carry half a surrogate pair, an answer may not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
