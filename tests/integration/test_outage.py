"""The endpoint, a Lambda and the way to it fail in the middle of things: the small form of `bench.batch outage`."""

from collections import Counter
from pathlib import Path

import pytest

from bench.workflow.outages import outage
from bench.workflow.rig import Rig

pytestmark = pytest.mark.integration


def test_nothing_is_lost_in_an_outage_and_everything_succeeds_in_the_end(rig: Rig, tmp_path: Path) -> None:
    found = outage(rig, tmp_path, 24, seconds=1.5)
    assert found["terminal"] == 24
    assert len(found["outages"]) == 3
    assert found["accounted_for"]
    assert found["redriven"].get("SUCCEEDED", 0) == found["redriven"]["started"]
    assert not +Counter(found["queued_after_redrive"])
