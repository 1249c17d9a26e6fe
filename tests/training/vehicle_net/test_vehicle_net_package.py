import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from training.vehicle_net.errors import IncompleteModel
from training.vehicle_net.package import SHIPPED, package

DESCRIPTION = {"format": 1, "labels": [], "preprocessing": {}, "calibration": {}, "metrics": {}, "provenance": {}}


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    directory = tmp_path / "model"
    directory.mkdir()
    (directory / "model.onnx").write_bytes(b"graph")
    (directory / "model.json").write_text(json.dumps(DESCRIPTION), encoding="utf-8")
    return directory


def test_the_archive_holds_graph_and_description_at_its_root(model_dir: Path, tmp_path: Path) -> None:
    with tarfile.open(package(model_dir, tmp_path / "new" / "model.tar.gz")) as archive:
        assert sorted(archive.getnames()) == ["model.json", "model.onnx"]
        graph = archive.extractfile("model.onnx")
        assert graph is not None
        assert graph.read() == b"graph"


def test_the_same_model_packs_to_the_same_bytes_whatever_the_clock_and_the_modes(
    model_dir: Path, tmp_path: Path
) -> None:
    first = package(model_dir, tmp_path / "one.tar.gz").read_bytes()
    os.utime(model_dir / "model.onnx", (0, 0))
    (model_dir / "model.onnx").chmod(0o600)
    assert package(model_dir, tmp_path / "two.tar.gz").read_bytes() == first


def test_nothing_else_in_the_directory_is_packed(model_dir: Path, tmp_path: Path) -> None:
    (model_dir / "notes.txt").write_text("mine", encoding="utf-8")
    with tarfile.open(package(model_dir, tmp_path / "model.tar.gz")) as archive:
        assert "notes.txt" not in archive.getnames()


@pytest.mark.parametrize(
    ("content", "problem"),
    [("{", "not JSON"), ("[]", "format 1"), ('{"format": 2}', "format 1"), ('{"format": 1}', "lacks labels")],
)
def test_a_description_that_servers_could_not_read_is_refused(
    model_dir: Path, tmp_path: Path, content: str, problem: str
) -> None:
    (model_dir / "model.json").write_text(content, encoding="utf-8")
    with pytest.raises(IncompleteModel, match=problem):
        package(model_dir, tmp_path / "model.tar.gz")
    assert not (tmp_path / "model.tar.gz").exists()


@pytest.mark.parametrize("name", ["model.onnx", "model.json"])
def test_a_directory_that_lacks_a_file_is_refused(model_dir: Path, tmp_path: Path, name: str) -> None:
    (model_dir / name).unlink()
    with pytest.raises(IncompleteModel, match=name):
        package(model_dir, tmp_path / "model.tar.gz")


def test_packaging_needs_no_pytorch() -> None:
    code = "import sys, training.vehicle_net.package; sys.exit('torch' in sys.modules or 'onnx' in sys.modules)"
    root = SHIPPED.parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
