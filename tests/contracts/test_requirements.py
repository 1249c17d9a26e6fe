"""Whatever an image installs is pinned by hash."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILES = sorted(
    path.relative_to(ROOT)
    for package in ("emulation", "scones", "services", "training")
    for path in (ROOT / package).rglob("Dockerfile")
)
SHIPPED = [
    ROOT / "requirements/scones.txt",
    ROOT / "requirements/emulator.txt",
    ROOT / "training/serving/requirements.txt",
    ROOT / "services/serialize/requirements.txt",
    ROOT / "emulation/lambdas/requirements.txt",
    ROOT / "emulation/localstack/requirements.txt",
]


def installations(dockerfile: Path) -> list[str]:
    """Return each `pip install` of packages, without those of stages that only tests use and of our own source."""
    stages = re.split(r"(?m)^FROM .*? AS ", dockerfile.read_text("utf-8").replace("\\\n", " "))
    shipped = [stage for stage in stages if not stage.startswith(("test-", "e2e"))]
    return [
        line for stage in shipped for line in stage.splitlines() if "pip install" in line and "/plugin ." not in line
    ]


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=str)
def test_an_image_installs_nothing_without_its_hash(dockerfile: Path) -> None:
    assert [line for line in installations(ROOT / dockerfile) if "--require-hashes" not in line] == []


@pytest.mark.parametrize("requirements", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_pinned_package_has_its_hashes(requirements: Path) -> None:
    packages = re.split(r"(?m)^(?=[A-Za-z0-9])", requirements.read_text("utf-8"))[1:]
    assert packages
    assert [package.splitlines()[0] for package in packages if "--hash=sha256:" not in package] == []
    assert [package.splitlines()[0] for package in packages if "==" not in package.splitlines()[0]] == []


def test_the_emulators_images_have_the_versions_that_scones_has() -> None:
    pins = {path: set(re.findall(r"(?m)^[a-z0-9._-]+==[^ ;\\]+", path.read_text("utf-8"))) for path in SHIPPED}
    assert pins[ROOT / "emulation/lambdas/requirements.txt"] <= pins[ROOT / "requirements/scones.txt"]
    assert pins[ROOT / "requirements/emulator.txt"] <= pins[ROOT / "requirements/scones.txt"]
