"""How a Lambda container is invoked, and what our Lambda hosts understand beyond AWS's Runtime Interface Emulator.

It lives in this package, on the standard library alone, because LocalStack runs in its own environment.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Self

INVOKE_PATH = "/2015-03-31/functions/function/invocations"
CONFIGURE_PATH = "/environment"
"""Takes a :class:`FunctionConfiguration`; the emulator, which has its own, responds 404."""
REQUEST_ID_HEADER = "Lambda-Runtime-Aws-Request-Id"
"""The invocation's request ID; without it the host makes one."""
LOG_HEADER = "Scones-Log"
"""``append`` asks for the function's log behind the payload."""
LOG_LENGTH_HEADER = "Scones-Log-Length"
"""How many bytes at the end of the response body are the log."""


@dataclass(frozen=True)
class FunctionConfiguration:
    """What a function's configuration says about its process."""

    function_name: str
    timeout: int
    memory_size: int
    variables: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """Return the configuration as the host takes it."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read what :meth:`to_json` wrote; raises ValueError if it is something else."""
        try:
            value = json.loads(text)
            variables = {str(name): str(text) for name, text in value["variables"].items()}
            return cls(str(value["function_name"]), int(value["timeout"]), int(value["memory_size"]), variables)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"Not a function configuration: {text[:200]!r}") from error
