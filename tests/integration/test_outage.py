"""The endpoint, a Lambda and the way to it fail in the middle of things: the small form of `bench.batch outage`."""

from pathlib import Path

import pytest

from bench import batch as bench

pytestmark = pytest.mark.integration


def test_nothing_is_lost_in_an_outage_and_everything_succeeds_in_the_end(rig: bench.Rig, tmp_path: Path) -> None:
    found = bench.outage(rig, tmp_path, 24, seconds=1.5)
    assert found["terminal"] == 24
    assert found["accounted_for"]
    assert found["failed_after_redrive"] == 0
    assert found["queued_after_redrive"] == {}
