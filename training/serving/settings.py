"""Which model a server is to serve, and how."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

VEHICLES: Final = ("bicycle", "motorcycle")


@dataclass(frozen=True, slots=True)
class Served:
    """A model directory; `threads` is for one inference, `labels` is what the model must tell apart, 0 before 1."""

    model_dir: Path
    threads: int = 1
    labels: tuple[str, ...] = VEHICLES

    def arguments(self) -> list[str]:
        """Return the same as words of `serve`'s command line."""
        return [f"--model-dir={self.model_dir}", f"--threads={self.threads}", f"--labels={','.join(self.labels)}"]
