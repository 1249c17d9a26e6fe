"""Both ends of the parent pipe: a child calls ``watch()``, a parent passes ``ParentPipe`` to the children it starts."""

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from emulation.localstack.scones_localstack.parent_watcher import GRACE_SECONDS, watch
from emulation.localstack.scones_localstack.settings import PARENT_PIPE_VARIABLE

__all__ = ["GRACE_SECONDS", "PARENT_PIPE_VARIABLE", "ParentPipe", "watch"]


class ParentPipe:
    """A pipe whose read end children inherit; they exit when this object is closed or this process dies.

    ``subprocess.Popen(..., env={**environment, **pipe.environment}, pass_fds=pipe.pass_fds)``, for any number of
    children.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        self._open = True

    @property
    def pass_fds(self) -> tuple[int, ...]:
        """The descriptors to hand to ``Popen(pass_fds=...)``."""
        return (self._read,)

    @property
    def environment(self) -> Mapping[str, str]:
        """What to add to the child's environment."""
        return {PARENT_PIPE_VARIABLE: str(self._read)}

    def close(self) -> None:
        """Close the pipe: every child that watches it exits. Closing twice is fine."""
        if self._open:
            self._open = False
            os.close(self._write)
            os.close(self._read)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
