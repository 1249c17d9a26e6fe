"""ClassifyImageData: classifies an image with a SageMaker endpoint.

In       s3_bucket     str             passed on
         s3_key        str             passed on
         image_data    str             the image in base64, at most 6 MB of image
         content_type  str             "image/jpeg" or "image/png"; if it is omitted, the image's first bytes decide
Out      s3_bucket     str
         s3_key        str
         inferences    [float, float]  probability of each label: each in 0..1, their sum 1 within 0.001
         probably_neither  bool        whether the image shows neither label; null where the model does not say
Errors   EndpointUnavailable and EndpointTimeout, which are retried; EndpointNotFound, EndpointAccessDenied,
         EndpointRejectedImage, MalformedInference, InvalidInput, InvalidConfiguration

The image and other fields of the event are dropped. ``settings`` has the environment variables. The endpoint is invoked
once, for at most 33 s (3 to connect, 30 to read): the function's timeout must be longer. The request ID is sent as the
inference ID, by which a captured record can be traced to the log line and the image.
"""

# ruff: noqa: E402 - without collecting garbage while all this is imported, the first invocation in the container takes
# 94 instead of 100 ms (medians of 7 starts under the Runtime Interface Emulator, November 2026)
import gc

gc.disable()

import binascii
import json

from endpoint import EndpointRuntime, invoke, parse_probabilities, parse_probably_neither, sagemaker_runtime
from errors import InvalidInput, quoted
from settings import endpoint_name

gc.freeze()
gc.enable()

CONTENT_TYPES = ("image/jpeg", "image/png")
MAX_IMAGE_BYTES = 6_000_000
_ADVICE = "send the output of SerializeImageData"


def handler(event: object, context: object) -> dict[str, object]:
    """Classify one image."""
    endpoint = endpoint_name()
    return classify(event, sagemaker_runtime(), endpoint, request_id=getattr(context, "aws_request_id", ""))


def classify(event: object, runtime: EndpointRuntime, endpoint: str, request_id: str = "") -> dict[str, object]:
    """Return the endpoint's prediction for the image in ``event``, and log one line."""
    bucket, key, image, content_type = parse_event(event)
    body, attributes = invoke(runtime, endpoint, image, content_type, request_id)
    inferences, probably_neither = parse_probabilities(body), parse_probably_neither(attributes)
    line = {
        "state": "ClassifyImageData",
        "request_id": request_id,
        "s3_bucket": bucket,
        "s3_key": key,
        "endpoint": endpoint,
        "image_bytes": len(image),
        "inferences": inferences,
        "probably_neither": probably_neither,
    }
    print(json.dumps(line))
    return {"s3_bucket": bucket, "s3_key": key, "inferences": inferences, "probably_neither": probably_neither}


def parse_event(event: object) -> tuple[str, str, bytes, str]:
    """Return bucket, key, image and content type. Raises InvalidInput."""
    if not isinstance(event, dict):
        raise InvalidInput(f"the event must be a JSON object, got {quoted(event)}: {_ADVICE}")
    bucket, key = _text(event, "s3_bucket"), _text(event, "s3_key")
    if "content_type" not in event:
        image = parse_image(event.get("image_data"))
        return bucket, key, image, content_type_of(image)
    content_type = _text(event, "content_type")
    if content_type not in CONTENT_TYPES:
        raise InvalidInput(f"content_type must be one of {CONTENT_TYPES}, got {quoted(content_type)}: {_ADVICE}")
    return bucket, key, parse_image(event.get("image_data")), content_type


def content_type_of(image: bytes) -> str:
    """Return the content type that an image's first bytes tell. Raises InvalidInput."""
    for content_type, beginning in zip(CONTENT_TYPES, (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"), strict=True):
        if image.startswith(beginning):
            return content_type
    raise InvalidInput(f"image_data is neither a JPEG nor a PNG, and content_type is missing: {_ADVICE}")


def parse_image(text: object) -> bytes:
    """Return the image in a base64 text, whose content is never part of a message. Raises InvalidInput."""
    if not isinstance(text, str) or not text:
        actual = "an empty text" if text == "" else f"a value of type {type(text).__name__}"
        raise InvalidInput(f"image_data must be base64 text, got {actual}: {_ADVICE}")
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
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"{field} must be a non-empty text, got {quoted(value)}: {_advice(event)}")
    if not _is_unicode(value):
        raise InvalidInput(
            f"{field} must be valid Unicode, got {quoted(value)}, with half of a surrogate pair: send the whole pair"
        )
    return value


def _advice(event: dict[str, object]) -> str:
    """Return where the fields of an event are that another solution, or Lambda's whole response, has wrapped."""
    for wrapper in ("Payload", "body"):
        if isinstance(event.get(wrapper), dict):
            return f'the fields are under {wrapper}: set "InputPath": "$.{wrapper}" in the state machine'
        if isinstance(event.get(wrapper), str):
            return f"the fields are in {wrapper}, a JSON text: send them as an object, without {wrapper}"
    return _ADVICE


def _is_unicode(text: str) -> bool:
    """Tell whether a text can be encoded as UTF-8; JSON may contain half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
