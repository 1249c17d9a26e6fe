"""A sample of the fuzzing, in every run of the tests."""

from pathlib import Path

import pytest

from tests.quality.fuzz.__main__ import fuzz, shares
from tests.quality.fuzz.mutate import inputs
from tests.quality.fuzz.target import Target
from tests.quality.fuzz.worker import MAKERS

SAMPLE = {"command-line": 10, "terminal": 10}


@pytest.mark.parametrize("target", MAKERS)
def test_hostile_inputs_end_in_a_result_or_a_named_error(target: str, tmp_path: Path) -> None:
    report = fuzz(target, SAMPLE.get(target, 250), 1, tmp_path, coverage=False)
    assert report["findings"] == {}
    assert report["inputs"] == SAMPLE.get(target, 250)


def test_an_input_that_ends_in_another_error_is_generated() -> None:
    target = Target(lambda _data: None, (), (b"honest",))
    generated = [data for data, _ in zip(inputs(target, 0), range(500), strict=False)]
    assert any(b"\xff" in data for data in generated)


def test_every_target_gets_inputs_and_together_as_many_as_requested() -> None:
    counts = shares([*MAKERS, "emulator"], 220_000)
    assert sum(counts.values()) >= 200_000
    assert min(counts.values()) > 0
