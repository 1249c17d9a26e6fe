"""Reads the function's environment variables.

ENDPOINT_NAME  the SageMaker endpoint to invoke
AWS_REGION     its region, which Lambda sets
"""

import os
import re
from collections.abc import Mapping

from errors import InvalidConfiguration, quoted

_ENDPOINT_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


def endpoint_name(environ: Mapping[str, str] = os.environ) -> str:
    """Return the endpoint's name. Raises InvalidConfiguration."""
    name = environ.get("ENDPOINT_NAME")
    if name is None or len(name) > 63 or not _ENDPOINT_NAME.fullmatch(name):
        raise InvalidConfiguration(
            f"ENDPOINT_NAME must be 1 to 63 letters, digits or inner hyphens, got {quoted(name)}: set its name"
        )
    return name


def region(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the region; None leaves it to botocore."""
    return environ.get("AWS_REGION") or None
