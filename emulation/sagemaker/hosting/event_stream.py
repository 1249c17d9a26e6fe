"""Messages of AWS's event stream encoding, in which InvokeEndpointWithResponseStream responds.

https://smithy.io/2.0/aws/amazon-eventstream.html
"""

import struct
from binascii import crc32

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_TEXT = 7
_PRELUDE, _CHECKSUM = 12, 4
_PART_BYTES = 1024 * 1024


def payload_parts(body: bytes) -> bytes:
    """Return a container's response as events of type PayloadPart."""
    parts = [body[start : start + _PART_BYTES] for start in range(0, len(body), _PART_BYTES)]
    headers = {":message-type": "event", ":event-type": "PayloadPart", ":content-type": "application/octet-stream"}
    return b"".join(_message(headers, part) for part in parts)


def _message(headers: dict[str, str], payload: bytes) -> bytes:
    encoded = b"".join(
        struct.pack(f"!B{len(name)}sBH{len(value)}s", len(name), name.encode(), _TEXT, len(value), value.encode())
        for name, value in headers.items()
    )
    prelude = struct.pack("!II", _PRELUDE + len(encoded) + len(payload) + _CHECKSUM, len(encoded))
    message = prelude + struct.pack("!I", crc32(prelude)) + encoded + payload
    return message + struct.pack("!I", crc32(message))
