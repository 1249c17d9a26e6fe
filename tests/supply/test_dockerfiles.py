"""Every Dockerfile passes hadolint; .hadolint.yaml says what is left out and why."""

import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HADOLINT = Path(sysconfig.get_path("scripts")) / "hadolint"
PACKAGES = ("emulation", "scones", "services", "training")
DOCKERFILES = sorted(path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("Dockerfile"))


def test_the_images_dockerfiles_are_among_them() -> None:
    names = {path.parent.as_posix() for path in DOCKERFILES}
    assert {"services/serialize", "services/classify", "services/filter", "training/serving"} <= names


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.as_posix())
def test_a_dockerfile_is_clean(dockerfile: Path) -> None:
    said = subprocess.run([HADOLINT, "--no-color", dockerfile], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (said.stdout, said.returncode) == ("", 0)
