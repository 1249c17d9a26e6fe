"""An interpreter that stands in where there is no PyTorch: a script, in an environment that lacks no package."""

import venv
from pathlib import Path

from training.source_archive import REQUIREMENTS


def stand_in_python(folder: Path, script: str) -> Path:
    """Make an environment whose interpreter is ``script`` for a job, and says for PyTorch's import that it succeeds.

    uv, which asks it what is installed, finds whatever a job of our trainer requires.
    """
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for line in REQUIREMENTS.read_text("utf-8").split():
        name, _, version = line.partition("==")
        installed = packages / f"{name.replace('-', '_')}-{version}.dist-info"
        installed.mkdir()
        (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    python = folder / "bin" / "python"
    real = python.rename(python.with_name("real-python"))
    python.write_text(f'#!/bin/sh\n[ "$2" = -c ] && exit 0\n[ "$3" = -c ] && exec {real} "$@"\n{script}')
    python.chmod(0o755)
    return python
