"""How a Lambda container is invoked, and what our Lambda hosts understand beyond AWS's Runtime Interface Emulator.

It lives in this package, on the standard library alone, because LocalStack runs in its own environment.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Self

INVOKE_PATH = "/2015-03-31/functions/function/invocations"
CONFIGURE_PATH = "/environment"
"""Takes a :class:`FunctionConfiguration`; the emulator, which has its own, responds 404."""
REQUEST_ID_HEADER = "Lambda-Runtime-Aws-Request-Id"
"""The invocation's request ID; without it the host makes one."""
CONFIGURATION_HEADER = "Scones-Configuration"
"""The digest of the configuration that an invocation is for; a host that has another one responds 412."""
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
        return json.dumps(asdict(self), sort_keys=True).encode()

    def digest(self) -> str:
        """Return what tells this configuration from others in a header."""
        return hashlib.sha256(self.to_json()).hexdigest()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read what :meth:`to_json` wrote; raises ValueError if it is something else."""
        try:
            value = json.loads(text)
            variables = {str(name): str(text) for name, text in value["variables"].items()}
            return cls(str(value["function_name"]), int(value["timeout"]), int(value["memory_size"]), variables)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"Not a function configuration: {text[:200]!r}") from error
