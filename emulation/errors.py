"""What can go wrong in the emulation, drawn as a tree. Each error says in one line what broke and what to do.

EmulationError
├── PortInUse               the requested port is in use
├── AlreadyRunning          another local environment uses this state directory
├── StateDirectoryUnusable  the state directory cannot be written
├── CacheUnusable           the cache cannot be written
├── ServicesMissing         the folder of the Lambda functions has no handlers
├── EnvironmentBuildFailed  a virtual environment in the cache could not be created
│   └── RewriteFailed       a file of LocalStack could not be rewritten for this Python
└── EnvironmentFailed       the local environment did not start, or did not keep running
    ├── ComponentExited     one of its processes exited
    └── ComponentUnhealthy  one of its processes did not become healthy
"""

import platform
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import SconesError

if TYPE_CHECKING:
    from emulation.processes.environment_state import EnvironmentState


class EmulationError(SconesError):
    """Base of all errors of this package."""


class PortInUse(EmulationError):
    """The requested port is in use by another program."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is in use by another program: stop that program or choose another port")
        self.port = port


class AlreadyRunning(EmulationError):
    """Another local environment uses this state directory; ``state`` is None while that one starts."""

    def __init__(self, home: Path, state: "EnvironmentState | None") -> None:
        where = f"at {state.localstack_url} (process {state.pid})" if state else "and is still starting"
        super().__init__(f"a local environment already runs {where} in {home}: use it, or stop it with `scones down`")
        self.state = state


class StateDirectoryUnusable(EmulationError):
    """The state directory cannot be written, or its disk is full."""

    def __init__(self, home: Path, reason: OSError) -> None:
        super().__init__(
            f"{home} cannot be used as the state directory: {reason.strerror or reason}: "
            "choose another with --home or SCONES_HOME"
        )


class CacheUnusable(EmulationError):
    """The cache cannot be written, or its disk is full."""

    def __init__(self, folder: Path, reason: OSError) -> None:
        super().__init__(
            f"{folder} in the cache cannot be written: {reason.strerror or reason}: choose another with SCONES_CACHE"
        )


class ServicesMissing(EmulationError):
    """The folder of the Lambda functions has no handlers."""

    def __init__(self, services: Path) -> None:
        super().__init__(f"no */handler.py in {services}: the folder of the Lambda functions is missing or empty")


class EnvironmentBuildFailed(EmulationError):
    """A virtual environment in the cache could not be created."""

    def __init__(self, name: str, reason: str, log: Path) -> None:
        super().__init__(f"{name} could not be created: {reason} (see {log})")
        self.reason = reason


class RewriteFailed(EnvironmentBuildFailed):
    """A file of LocalStack could not be rewritten for this Python."""

    def __init__(self, file: Path, fault: SyntaxError) -> None:
        super().__init__(
            "LocalStack's environment",
            f"{file.name} could not be rewritten for Python {platform.python_version()}: {fault}; "
            "use Python 3.12 or later",
            file,
        )


class EnvironmentFailed(EmulationError):
    """The local environment did not start, or did not keep running."""


class ComponentExited(EnvironmentFailed):
    """A process of the local environment exited."""

    def __init__(self, name: str, returncode: int, log: Path, tail: str) -> None:
        super().__init__(f"{name} exited unexpectedly with status {returncode}; the end of {log}:\n{tail}")


class ComponentUnhealthy(EnvironmentFailed):
    """A process of the local environment did not become healthy."""

    def __init__(self, name: str, url: str, seconds: float, log: Path) -> None:
        super().__init__(f"{name} did not respond at {url} within {seconds:.0f} s; its log is {log}")
