"""Images of any size are classified or refused by name; none dies of the limit on a state's size."""

from pathlib import Path

import pytest

from bench import batch as bench

pytestmark = pytest.mark.integration


def test_no_size_of_image_dies_of_the_limit_on_states(rig: bench.Rig, tmp_path: Path) -> None:
    found = bench.payload(rig, tmp_path)
    assert len(found) == 2 * len(bench.PAYLOADS)
    assert {end["ended"] for end in found.values()} <= {"bicycle", "motorcycle", "ImageTooLarge"}
