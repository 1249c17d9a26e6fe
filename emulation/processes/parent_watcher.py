"""Both ends of the parent_pipe: a child calls ``watch()``, a parent hands ``ParentPipe`` to the children it starts."""

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from emulation.localstack.scones_localstack.parent_watcher import GRACE_SECONDS, VARIABLE, watch

__all__ = ["GRACE_SECONDS", "VARIABLE", "ParentPipe", "watch"]


class ParentPipe:
    """A pipe whose read end children inherit; they end when this object is closed or this process is gone.

    ``subprocess.Popen(..., env={**environment, **line.environment}, pass_fds=line.pass_fds)``; one serves any number.
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
        return {VARIABLE: str(self._read)}

    def close(self) -> None:
        """Let go: every child still watching ends itself. Closing twice is fine."""
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
