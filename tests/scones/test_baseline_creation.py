import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitoring.baseline import MIN_PREDICTIONS, Baseline
from scones.baseline_creation import cross_validation_reference, of_captures, of_predictions
from scones.time_ranges import TimeRange
from tests.monitoring.captures import NOON
from tests.scones.configured_session import ConfiguredSession
from training.vehicle_net.package import SHIPPED


@pytest.mark.parametrize("name", ["baseline.json", "baseline-synthetic.json"])
def test_the_shipped_baselines_are_of_the_shipped_network(name: str) -> None:
    result = Baseline.read(SHIPPED / name)
    network = (SHIPPED / "model.onnx").read_bytes()
    assert result.model == hashlib.sha256(network).hexdigest()
    assert result.n >= 100
    assert len(result.images["brightness"]) >= 1000
    assert result.reference is not None
    assert result.reference.n >= 1000


def test_the_accuracy_of_a_baseline_is_that_of_its_predictions(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"network")
    predictions = dict.fromkeys(range(100), (0.9, 0.1))
    truth = {number: number % 2 for number in range(100)}
    made = of_predictions(predictions, truth, [], "here", tmp_path)
    assert made.reference is not None
    assert (made.reference.accuracy, made.reference.n, made.labels, made.n) == (0.5, 100, (100, 0), 100)


def test_what_calibration_left_over_is_learnt_from_cross_validation_where_there_was_one(tmp_path: Path) -> None:
    result = cross_validation_reference(SHIPPED)
    assert result is not None
    assert (result.n, result.accuracy) == (1000, 0.974)
    assert result.offset == pytest.approx(0.974 - 0.9666, abs=1e-4)
    (tmp_path / "model.json").write_text("{}")
    assert cross_validation_reference(tmp_path) is None


def test_a_baseline_of_captures_leaves_out_what_an_earlier_configuration_may_have_predicted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    session: Any = ConfiguredSession(NOON)
    before, after = NOON - timedelta(hours=1), NOON + timedelta(minutes=5)
    session.capture(before, MIN_PREDICTIONS)
    session.capture(after, MIN_PREDICTIONS + 1)
    made = of_captures(session, "scones", TimeRange(before - timedelta(hours=1)))
    assert made.n == MIN_PREDICTIONS + 1
    assert made.source.startswith("captured by scones, 2026-03-01 12:00:00 to 20")
    assert made.source.endswith(" UTC")
    assert "scones has its configuration since 2026-03-01 12:00:00 UTC" in capsys.readouterr().err


def test_a_baseline_of_captures_since_the_configuration_was_made_needs_no_note(
    capsys: pytest.CaptureFixture[str],
) -> None:
    session: Any = ConfiguredSession(NOON - timedelta(days=1))
    session.capture(NOON, MIN_PREDICTIONS)
    time_range = TimeRange(NOON - timedelta(hours=1), NOON + timedelta(hours=1))
    assert of_captures(session, "scones", time_range).source == f"captured by scones, {time_range}"
    assert capsys.readouterr().err == ""
