from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from monitoring.timeline import Timeline
from monitoring.window import InferenceWindow

START = datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)


def over(seconds: list[float], confidences: list[float], labels: list[int]) -> InferenceWindow:
    times = np.array([(START + timedelta(seconds=s)).timestamp() for s in seconds])
    return InferenceWindow(times, np.array(confidences), np.array(labels, np.int8))


def test_a_timeline_bins_by_time_in_any_order() -> None:
    result = Timeline.of(over([121, 0, 3, 1], [0.6, 1.0, 0.95, 0.9], [1, 0, 1, 0]), 0.94, max_bins=4)
    assert (result.width, result.n) == (60, 4)
    assert [each.n for each in result.bins] == [3, 0, 1]
    first, empty, last = result.bins
    assert first.mean == pytest.approx(0.95)
    assert first.share_below == pytest.approx(1 / 3)
    assert first.labels == (2, 1)
    assert (empty.mean, empty.share_below) == (None, None)
    assert empty.rolling_mean == pytest.approx(0.95)
    assert last.rolling_mean == pytest.approx((1 + 0.95 + 0.9 + 0.6) / 4)
    assert last.start <= START + timedelta(seconds=121) < last.end
    assert [point.confidence for point in result.points] == [1.0, 0.9, 0.95, 0.6]


@pytest.mark.parametrize("span", [0, 1, 59, 60, 3600, 86_400, 400 * 86_400, 5000 * 86_400])
def test_a_timeline_never_has_too_many_bins(span: float) -> None:
    result = Timeline.of(over([0, span], [0.9, 0.9], [0, 0]), 0.94)
    assert 1 <= len(result.bins) <= 60
    assert result.n == 2


def test_the_timeline_of_nothing_is_empty() -> None:
    assert Timeline.of(over([], [], []), 0.94).bins == ()


def test_the_timeline_of_one_inference_is_one_bin() -> None:
    (only,) = Timeline.of(over([0], [0.9], [1]), 0.94).bins
    assert (only.n, only.mean, only.low, only.high, only.share_below) == (1, 0.9, 0.9, 0.9, 1.0)
