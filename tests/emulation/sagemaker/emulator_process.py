"""The emulator as a process, serving models with the fake model server that stands next to this file."""

import sys
from collections.abc import Sequence
from pathlib import Path

from emulation.sagemaker.__main__ import main

SERVER = Path(__file__).parents[1] / "fakes" / "model_server.py"


def fake_server(listener: int, model: Path) -> Sequence[str]:
    return [sys.executable, str(SERVER), "serve", "--fd", str(listener), "--model-dir", str(model)]


if __name__ == "__main__":
    sys.exit(main(command=fake_server))
