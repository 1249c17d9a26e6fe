"""Reads the function's environment variable AWS_REGION, which Lambda sets."""

import os
from collections.abc import Mapping


def region(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the region; None leaves it to botocore."""
    return environ.get("AWS_REGION") or None
