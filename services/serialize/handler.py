"""SerializeImageData: reads an image from S3 and returns it as base64 text that fits a Step Functions state.

In       s3_bucket     str   bucket, or access point ARN
         s3_key        str   object key of at most 1,024 bytes, plain or URL-encoded as in event notifications
Out      s3_bucket     str   passed on
         s3_key        str   the key under which the object exists
         image_data    str   the image in base64: at most 245,760 characters, for at most 180 KiB of image
         content_type  str   "image/jpeg" or "image/png"
Errors   InvalidInput, NotAnImage, ImageNotFound, ImageAccessDenied, ImageTooLarge, UnsupportedImage, and
         StorageUnavailable, which is retried

Other fields of the event are dropped. ``image`` describes how an image is scaled.
"""

# ruff: noqa: E402 - without collecting garbage while all this is imported, the first invocation in the container takes
# 101 instead of 112 ms (medians of 7 starts under the Runtime Interface Emulator, November 2026)
import gc

gc.disable()

import binascii
import json

from errors import InvalidInput, NotAnImage, quoted
from image import fit
from s3_objects import ObjectStore, fetch, s3

gc.freeze()
gc.enable()

_ADVICE = 'send {"s3_bucket": "...", "s3_key": "..."}'


def handler(event: object, context: object) -> dict[str, str]:
    """Serialize one image."""
    return serialize(event, s3(), request_id=getattr(context, "aws_request_id", ""))


def serialize(event: object, store: ObjectStore, request_id: str = "") -> dict[str, str]:
    """Return the image that ``event`` names as the next state's input, and log one line."""
    bucket, key = parse_event(event)
    _require_image_key(event, key)
    key, data = fetch(store, bucket, key)
    image, content_type = fit(data)
    line = {
        "state": "SerializeImageData",
        "request_id": request_id,
        "s3_bucket": bucket,
        "s3_key": key,
        "object_bytes": len(data),
        "image_bytes": len(image),
        "content_type": content_type,
    }
    print(json.dumps(line))
    return {
        "s3_bucket": bucket,
        "s3_key": key,
        "image_data": binascii.b2a_base64(image, newline=False).decode(),
        "content_type": content_type,
    }


def parse_event(event: object) -> tuple[str, str]:
    """Return bucket and key. Raises InvalidInput."""
    if not isinstance(event, dict):
        raise InvalidInput(f"the event must be a JSON object, got {quoted(event)}: {_ADVICE}")
    return _text(event, "s3_bucket"), _text(event, "s3_key")


def _require_image_key(event: object, key: str) -> None:
    """Raise NotAnImage if an event of the bucket names a hidden file or a folder placeholder.

    Such an event has an ``id``. An input without one, from a person or a list, is read in any case.
    """
    name = key.rpartition("/")[2]
    if isinstance(event, dict) and "id" in event and (not name or name.startswith(".")):
        raise NotAnImage(f"{quoted(key)} is a {'hidden file' if name else 'folder placeholder'}")


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
