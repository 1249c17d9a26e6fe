"""From a fresh clone to the first summary: `make demo` with empty caches, and again with full ones."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from bench.results import ROOT, NotMeasured, Options, Section, Table

_OWN_VARIABLES = ("SCONES_", "TOX_", "PYTHON", "VIRTUAL_ENV")


def measure(options: Options) -> Section:  # noqa: ARG001 - once is enough, and once takes minutes
    """Clone the repository and run `make demo` twice."""
    if not (ROOT / ".git").exists():
        raise NotMeasured("this folder is not a git repository, of which it makes a clone")
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        clone, cache = scratch / "scones", scratch / "cache"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)  # noqa: S607 - git of the user's PATH
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(_OWN_VARIABLES)}
        caches = {"XDG_CACHE_HOME": str(cache), "UV_CACHE_DIR": str(cache / "uv"), "PIP_NO_CACHE_DIR": "1"}
        cold, warm = (_demo(clone, inherited | caches) for _ in range(2))
    rows = [("cold: nothing installed, empty caches", cold), ("warm: the second `make demo`", warm)]
    method = (
        "`git clone` and `make demo` on rendered vehicles, to its summary of 104 images; what is installed comes from "
        "this machine's package index."
    )
    table = Table.of(["`make demo`", "s"], rows)
    return Section("Time to the first result", method, [table], (), {"cold": cold, "warm": warm})


def _demo(clone: Path, environment: dict[str, str]) -> float:
    begun = time.monotonic()
    command = ["make", "demo", "ARGS=--synthetic --json"]
    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotMeasured(f"make demo ended with {done.returncode}: {done.stderr[-400:]}")
    return round(time.monotonic() - begun, 1)
