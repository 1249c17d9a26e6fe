"""Every Dockerfile passes hadolint; .hadolint.yaml lists the ignored rules with their reasons."""

import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HADOLINT = Path(sysconfig.get_path("scripts")) / "hadolint"
PACKAGES = ("emulation", "scones", "services", "training")
DOCKERFILES = sorted(path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("Dockerfile"))


def test_the_dockerfiles_of_all_images_are_checked() -> None:
    names = {path.parent.as_posix() for path in DOCKERFILES}
    assert {"services/serialize", "services/classify", "services/filter", "training/serving"} <= names


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.as_posix())
def test_a_dockerfile_is_clean(dockerfile: Path) -> None:
    result = subprocess.run([HADOLINT, "--no-color", dockerfile], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.stdout, result.returncode) == ("", 0)
