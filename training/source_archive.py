"""sourcedir.tar.gz for script mode: the trainer's own source, an entry point and what to install for it."""

import gzip
import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

ENTRY_POINT = "entry_point.py"
REQUIREMENTS = Path(__file__).with_name("vehicle_net") / "job-requirements.txt"
_ROOT = Path(__file__).resolve().parent
_ENTRY = '''"""Runs the trainer: hyperparameters come by SM_HPS, whose names need no dashes."""

import argparse
import sys

from training.vehicle_net.train import main

options = argparse.ArgumentParser()
options.add_argument("--checkpoint-dir")
found, _ = options.parse_known_args()
sys.exit(main(["--checkpoint-dir", found.checkpoint_dir] if found.checkpoint_dir else []))
'''


def pack() -> bytes:
    """Return the archive: the same bytes for the same source."""
    files = {ENTRY_POINT: _ENTRY.encode(), "requirements.txt": REQUIREMENTS.read_bytes()}
    for folder in ("", "data", "serving", "vehicle_net"):
        for path in [*(_ROOT / folder).glob("*.py"), *(_ROOT / folder).glob("rendering/*.py")]:
            files[f"training/{path.relative_to(_ROOT).as_posix()}"] = path.read_bytes()
    for path in (_ROOT.parent / "core").glob("*.py"):
        files[f"core/{path.name}"] = path.read_bytes()
    packed = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", fileobj=packed, mtime=0) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(files[name]), 0o644
            archive.addfile(member, io.BytesIO(files[name]))
    return packed.getvalue()


def upload(s3: Any, bucket: str, prefix: str) -> str:
    """Put the archive into the bucket under its digest and return its URL."""
    content = pack()
    key = f"{prefix}/{hashlib.sha256(content).hexdigest()[:16]}/sourcedir.tar.gz"
    s3.put_object(Bucket=bucket, Key=key, Body=content)
    return f"s3://{bucket}/{key}"
