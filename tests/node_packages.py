"""What the tests run with Node.js: installed from its lock file into the user's cache, once for each version of it."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import platformdirs
import pytest

MANIFEST = Path(__file__).parents[1] / "requirements" / "npm"


def installed() -> Path:
    """Return the folder in which ``node_modules`` is; skip the test where there is no npm."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm program here (Debian's package of that name has it)")
    cache = Path(os.environ.get("SCONES_CACHE") or platformdirs.user_cache_dir("scones")) / "node"
    digest = hashlib.sha256((MANIFEST / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = cache / digest
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as temporary:
            made = Path(temporary) / digest
            shutil.copytree(MANIFEST, made)
            subprocess.run([npm, "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=made, check=True)
            try:
                made.rename(folder)
            except OSError:  # another process was faster
                assert folder.is_dir()
    return folder
