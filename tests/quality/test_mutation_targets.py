from pathlib import Path

import pytest

from tests.quality.mutation_targets import TARGETS, Target

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_every_file_and_test_of_a_target_exists(target: Target) -> None:
    folder = ROOT / "services" / target.service if target.service else ROOT
    missing = [path for path in (*target.files, *target.tests) if not (folder / path).is_file()]
    assert missing == []
