"""model.tar.gz as SageMaker requires it: model.onnx and model.json at its root, the same bytes for the same model."""

import gzip
import io
import json
import tarfile
from pathlib import Path

from training.vehicle_net.errors import IncompleteModel

FILES = ("model.json", "model.onnx")
SHIPPED = Path(__file__).parent / "shipped"
"""The model directory that comes with the repository."""

REQUIRED = ("labels", "preprocessing", "calibration", "metrics", "provenance")


def check(model_dir: Path) -> None:
    """Raise IncompleteModel unless the directory holds a model of format 1."""
    for name in FILES:
        if not (model_dir / name).is_file():
            raise IncompleteModel(model_dir / name, "not found: a model directory has model.onnx and model.json")
    description = model_dir / "model.json"
    try:
        content = json.loads(description.read_text(encoding="utf-8"))
    except ValueError as error:
        raise IncompleteModel(description, f"not JSON ({error})") from error
    if not isinstance(content, dict) or content.get("format") != 1:
        raise IncompleteModel(description, "not of format 1")
    missing = [key for key in REQUIRED if key not in content]
    if missing:
        raise IncompleteModel(description, f"lacks {', '.join(missing)}")


def package(model_dir: Path, out: Path) -> Path:
    """Write the model directory as `out` (model.tar.gz), independent of clock, user and file modes; return `out`."""
    check(model_dir)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f"{out.name}.partial")
    with (
        partial.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in FILES:
            content = (model_dir / name).read_bytes()
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    partial.replace(out)
    return out
