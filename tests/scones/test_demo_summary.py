import json
from pathlib import Path
from typing import Any

import pytest

from monitoring.evaluation import Prediction
from orchestration.executions import Outcome, S3Image
from scones.demo_summary import DemoSummary, figures, labelled_predictions
from scones.recent_executions import BELOW_THRESHOLD


def outcome(key: str, error: str | None = None, inferences: tuple[float, float] = (0.99, 0.01)) -> Outcome:
    output = None if error else {"inferences": list(inferences), "label": "bicycle"}
    return Outcome(S3Image("b", key), f"arn:{key}", "FAILED" if error else "SUCCEEDED", output, error, None, 100.0)


OUTCOMES = [
    outcome("right.png"),
    outcome("wrong.png"),
    outcome("unsure.png", BELOW_THRESHOLD),
    outcome("text.png", "UnsupportedImage"),
]
LABELS = {"right.png": 0, "wrong.png": 1, "unsure.png": 1}


def summary(**changes: Any) -> DemoSummary:
    labelled = labelled_predictions(OUTCOMES, LABELS, {"arn:unsure.png": [0.4, 0.6]})
    parts = {
        "dataset": "synthetic",
        "captured": 3,
        "predictions": 3,
        "review_queue": 1,
        "failure_queue": 1,
        "seconds": {"up": 1.0},
    }
    return DemoSummary(**{**parts, **figures(OUTCOMES, labelled, 0.94), "files": {}, **changes})


def test_a_prediction_below_the_threshold_still_counts_for_accuracy() -> None:
    result = summary().to_dict()
    assert (result["accuracy"], result["accepted"], result["accuracy_accepted"]) == (0.6667, 0.6667, 0.5)


def test_images_that_the_endpoint_never_saw_do_not_count_for_accuracy() -> None:
    assert labelled_predictions(OUTCOMES, LABELS, {}) == [Prediction(0, (0.99, 0.01)), Prediction(1, (0.99, 0.01))]


def test_errors_are_counted_by_name() -> None:
    result = summary().to_dict()
    assert result["errors"] == {BELOW_THRESHOLD: 1, "UnsupportedImage": 1}
    assert result["executions"] == {"SUCCEEDED": 2, "FAILED": 2}


def test_every_image_with_one_outcome_is_accounted_for() -> None:
    assert summary().is_accounted_for


@pytest.mark.parametrize("changes", [{"review_queue": 0}, {"failure_queue": 2}, {"captured": 2}, {"captured": 4}])
def test_an_image_lost_or_counted_twice_is_noticed(changes: dict[str, int]) -> None:
    assert not summary(**changes).is_accounted_for


def test_the_file_holds_what_programs_were_promised(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "summary.json"
    summary().write(path)
    promised = {"dataset", "images", "executions", "errors", "accuracy", "accepted", "accuracy_accepted", "latency_ms"}
    promised |= {"captured", "review_queue", "failure_queue", "seconds"}
    assert promised <= set(json.loads(path.read_text()))


def test_a_share_of_nothing_is_null_in_the_file() -> None:
    nothing = figures([], [], 0.94)
    assert summary(**nothing).to_dict()["accuracy"] is None


def test_the_file_has_every_figure_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text("an earlier one")
    summary(files={"logs": "logs"}).write(path)
    expected = {
        "dataset": "synthetic", "images": 4, "executions": {"SUCCEEDED": 2, "FAILED": 2},
        "errors": {BELOW_THRESHOLD: 1, "UnsupportedImage": 1},
        "accuracy": 0.6667, "accuracy_interval": [0.2077, 0.9385], "accepted": 0.6667,
        "accuracy_accepted": 0.5, "accuracy_accepted_interval": [0.0945, 0.9055],
        "neither": {"images": 0, "accepted": 0, "review": 0},
        "latency_ms": {"p50": 100.0, "p95": 100.0}, "captured": 3, "answered": 3, "review_queue": 1, "failure_queue": 1,
        "seconds": {"up": 1.0}, "where": {"logs": "logs"},
    }  # fmt: skip
    assert path.read_text() == json.dumps(expected, indent=2) + "\n"


def test_an_interval_of_nothing_is_null_and_a_single_prediction_has_one() -> None:
    result = summary(**figures([], [], 0.94)).to_dict()
    assert result["accuracy_interval"] is result["accuracy_accepted_interval"] is None
    assert result["executions"] == {"SUCCEEDED": 0, "FAILED": 0}
    alone = summary(**figures(OUTCOMES[:1], [Prediction(0, (0.99, 0.01))], 0.94)).to_dict()
    assert alone["accuracy_interval"] == [0.2065, 1.0]


def test_latency_is_that_of_the_executions_with_a_prediction() -> None:
    slow = Outcome(S3Image("b", "s"), "arn:s", "SUCCEEDED", {"inferences": [1, 0]}, None, None, 300.0)
    broken = Outcome(S3Image("b", "x"), "arn:x", "FAILED", None, "ImageNotFound", None, 9000.0)
    unsure = Outcome(S3Image("b", "u"), "arn:u", "FAILED", None, BELOW_THRESHOLD, None, 100.0)
    assert figures([slow, broken, unsure], [], 0.94)["latency_ms"] == {"p50": 200.0, "p95": 290.0}


def test_errors_come_most_frequent_first_and_a_status_stands_in_for_a_missing_name() -> None:
    lost = Outcome(S3Image("b", "l"), "arn:l", "TIMED_OUT", None, None, None, 1.0)
    result = figures([lost, outcome("a", "ImageNotFound"), outcome("b", "ImageNotFound")], [], 0.94)
    assert list(result["errors"].items()) == [("ImageNotFound", 2), ("TIMED_OUT", 1)]
    assert result["executions"] == {"SUCCEEDED": 0, "FAILED": 2, "TIMED_OUT": 1}


def test_images_of_neither_class_are_counted_by_where_they_ended() -> None:
    of_neither = [S3Image("b", "wrong.png"), S3Image("b", "unsure.png"), S3Image("b", "text.png")]
    assert figures(OUTCOMES, [], 0.94, of_neither)["neither"] == {"images": 3, "accepted": 1, "review": 1}


def test_an_image_without_a_label_is_not_evaluated() -> None:
    assert labelled_predictions(OUTCOMES[:2], {"right.png": 0}, {}) == [Prediction(0, (0.99, 0.01))]


def test_a_run_in_which_nothing_succeeded_can_be_accounted_for() -> None:
    assert summary(executions={}, images=2).is_accounted_for
