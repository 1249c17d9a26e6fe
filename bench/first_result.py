"""From a fresh clone to the first summary: `make demo` with empty caches, and again with full ones."""

import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.results import NotMeasured, Section

_OURS = ("SCONES_", "TOX_", "PYTHON", "VIRTUAL_ENV")
ROOT = Path(__file__).resolve().parents[1]


def section(options: Any) -> Section:  # noqa: ARG001 - once is enough, and once takes minutes
    """Measure for `make bench`."""
    if not (ROOT / ".git").exists():
        raise NotMeasured("it clones the repository, and this is none")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        clone = place / "scones"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)  # noqa: S607 - git of the user's PATH
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(_OURS)},
            "XDG_CACHE_HOME": str(place / "cache"), "UV_CACHE_DIR": str(place / "cache" / "uv"),
            "PIP_NO_CACHE_DIR": "1",
        }  # fmt: skip
        seconds = []
        for _ in range(2):
            begun = time.monotonic()
            command = ["make", "demo", "ARGS=--synthetic --json"]
            done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise NotMeasured(f"make demo ended with {done.returncode}: {done.stderr[-400:]}")
            seconds.append(round(time.monotonic() - begun, 1))
    rows = [
        ["cold: nothing installed, empty caches", f"{seconds[0]}"],
        ["warm: the second `make demo`", f"{seconds[1]}"],
    ]
    how = (
        "`git clone` and `make demo` on rendered vehicles, to its summary of 104 pictures; what is installed comes "
        "from this machine's package index."
    )
    return Section(
        "Time to the first result", how, ["`make demo`", "s"], rows, (), {"cold": seconds[0], "warm": seconds[1]}
    )
