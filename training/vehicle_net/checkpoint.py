"""Checkpoints that survive being killed while they are written, and that load nothing but tensors and plain values."""

import os
import pickle
from pathlib import Path
from typing import Any, cast

import torch

from training.vehicle_net.errors import UnreadableCheckpoint


def save(path: Path, state: dict[str, Any]) -> None:
    """Write `state`; at every moment `path` is absent, the old checkpoint or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def load(path: Path) -> dict[str, Any] | None:
    """The checkpoint at `path`, or None if there is none. Raises UnreadableCheckpoint."""
    if not path.is_file():
        return None
    try:
        return cast("dict[str, Any]", torch.load(path, map_location="cpu", weights_only=True))
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise UnreadableCheckpoint(path, str(error).splitlines()[0]) from error
