"""Archives to read: small ones made here, and the one that SCONES_CIFAR100 names."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training.data.cifar_archives import Members, members, pack


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A small honest archive: 20 training vehicles and 10 test vehicles among as many other images."""
    return pack(tmp_path / "cifar-100-python.tar.gz", members())


@pytest.fixture
def make_archive(tmp_path: Path) -> Callable[[Members], Path]:
    """Packs the given members."""
    return lambda contents: pack(tmp_path / "cifar-100-python.tar.gz", contents)


@pytest.fixture
def real_archive() -> Path:
    """CIFAR-100's own archive."""
    path = os.environ.get("SCONES_CIFAR100")
    if not path:
        pytest.skip("SCONES_CIFAR100 names no archive")
    return Path(path)
