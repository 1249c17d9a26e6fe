"""Images of any size are classified or refused by name; none dies of the limit on a state's size."""

from pathlib import Path

import pytest

from bench.workflow.payloads import PAYLOADS, payload
from bench.workflow.rig import Rig

pytestmark = pytest.mark.integration


def test_no_size_of_image_dies_of_the_limit_on_states(rig: Rig, tmp_path: Path) -> None:
    found = payload(rig, tmp_path)
    assert len(found) == 2 * len(PAYLOADS)
    assert {end["ended"] for end in found.values()} <= {"bicycle", "motorcycle", "ImageTooLarge"}
