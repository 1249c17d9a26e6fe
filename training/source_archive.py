"""sourcedir.tar.gz for script mode: our trainer's source, an entry point and its requirements."""

import gzip
import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

from core.s3_uris import S3Uri

ENTRY_POINT = "entry_point.py"
REQUIREMENTS = Path(__file__).with_name("vehicle_net") / "job-requirements.txt"
_PACKAGE = Path(__file__).resolve().parent
_ENTRY_POINT_SOURCE = '''"""Runs the trainer: hyperparameters come in SM_HPS, whose names need no dashes."""

import argparse
import sys

if __name__ == "__main__":  # the processes that render images run this file, too
    from training.vehicle_net.train import main

    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint-dir")
    options, _ = parser.parse_known_args()
    sys.exit(main(["--checkpoint-dir", options.checkpoint_dir] if options.checkpoint_dir else []))
'''


def build() -> bytes:
    """Return the archive: the same bytes for the same source."""
    files = {ENTRY_POINT: _ENTRY_POINT_SOURCE.encode(), "requirements.txt": REQUIREMENTS.read_bytes()}
    for folder in ("", "data", "serving", "vehicle_net"):
        for path in [*(_PACKAGE / folder).glob("*.py"), *(_PACKAGE / folder).glob("rendering/*.py")]:
            files[f"training/{path.relative_to(_PACKAGE).as_posix()}"] = path.read_bytes()
    for path in (_PACKAGE.parent / "core").glob("*.py"):
        files[f"core/{path.name}"] = path.read_bytes()
    buffer = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", fileobj=buffer, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(files[name]), 0o644
            archive.addfile(member, io.BytesIO(files[name]))
    return buffer.getvalue()


def upload(s3: Any, bucket: str, prefix: str) -> str:
    """Upload the archive under its digest and return its URI."""
    content = build()
    uri = S3Uri(bucket, f"{prefix}/{hashlib.sha256(content).hexdigest()[:16]}/sourcedir.tar.gz")
    s3.put_object(Bucket=uri.bucket, Key=uri.key, Body=content)
    return str(uri)
