"""JSON objects in messages that anybody may have sent."""

import json
from typing import Any


def parse_json_object(text: str) -> dict[str, Any]:
    """Return the object that ``text`` holds; an empty one for anything else.

    Anything else is also what is nested too deeply, or has characters that UTF-8 cannot write.
    """
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def error_message(cause: str | None) -> str | None:
    """Return the message in the JSON that Lambda makes of an exception; any other cause unchanged."""
    message = parse_json_object(cause or "").get("errorMessage", cause)
    return None if message is None else str(message)
