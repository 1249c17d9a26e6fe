"""What runs in a container imports only what its image has."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("dockerfile", "module"),
    [
        ("emulation/localstack/Dockerfile", "emulation.lambdas.host"),
        ("emulation/sagemaker/Dockerfile", "emulation.sagemaker.__main__"),
        ("training/serving/Dockerfile", "training.serving.__main__"),
    ],
)
def test_a_program_imports_what_its_build_context_has(dockerfile: str, module: str, tmp_path: Path) -> None:
    lines = (ROOT / f"{dockerfile}.dockerignore").read_text("utf-8").splitlines()
    for pattern in (line.removeprefix("!") for line in lines if line.startswith("!")):
        for path in ROOT.glob(f"{pattern}/**/*" if (ROOT / pattern).is_dir() else pattern):
            if path.is_file():
                target = tmp_path / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    command = [sys.executable, "-c", f"import {module}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
