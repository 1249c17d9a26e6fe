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
