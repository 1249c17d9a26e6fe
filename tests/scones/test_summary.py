import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from monitoring.evaluate import Answer
from orchestration.executions import Image, Outcome
from scones.inspection import BELOW_THRESHOLD
from scones.sampling import sample
from scones.summary import Summary, answers, figures, render


def outcome(key: str, error: str | None = None, inferences: tuple[float, float] = (0.99, 0.01)) -> Outcome:
    output = None if error else {"inferences": list(inferences), "label": "bicycle"}
    return Outcome(Image("b", key), f"arn:{key}", "FAILED" if error else "SUCCEEDED", output, error, None, 100.0)


OUTCOMES = [
    outcome("right.png"),
    outcome("wrong.png"),
    outcome("unsure.png", BELOW_THRESHOLD),
    outcome("text.png", "UnsupportedImage"),
]
LABELS = {"right.png": 0, "wrong.png": 1, "unsure.png": 1}


def summary(**changes: Any) -> Summary:
    labelled = answers(OUTCOMES, LABELS, {"arn:unsure.png": [0.4, 0.6]})
    parts = {
        "dataset": "synthetic",
        "captured": 3,
        "answered": 3,
        "review_queue": 1,
        "failure_queue": 1,
        "seconds": {"up": 1.0},
    }
    return Summary(**{**parts, **figures(OUTCOMES, labelled, 0.94), "where": {}, **changes})


def test_an_answer_below_the_threshold_still_counts_for_accuracy() -> None:
    found = summary().to_dict()
    assert (found["accuracy"], found["accepted"], found["accuracy_accepted"]) == (0.6667, 0.6667, 0.5)


def test_images_that_the_endpoint_never_saw_do_not_count_for_accuracy() -> None:
    assert answers(OUTCOMES, LABELS, {}) == [Answer(0, (0.99, 0.01)), Answer(1, (0.99, 0.01))]


def test_errors_are_counted_by_name() -> None:
    found = summary().to_dict()
    assert found["errors"] == {BELOW_THRESHOLD: 1, "UnsupportedImage": 1}
    assert found["executions"] == {"SUCCEEDED": 2, "FAILED": 2}


def test_every_image_in_one_place_is_accounted_for() -> None:
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


def test_the_screen_says_when_something_is_missing() -> None:
    console = Console(width=120, record=True, file=None)
    with console.capture() as captured:
        console.print(render(summary(captured=2), 0.94))
    assert "not accounted for" in captured.get()


def test_a_sample_takes_the_classes_by_turns_and_is_the_same_each_time() -> None:
    labels = {f"{n}.png": int(n >= 50) for n in range(100)}
    chosen = sample(sorted(labels), labels, 20)
    assert [labels[key] for key in chosen] == [0, 1] * 10
    assert chosen == sample(sorted(labels), labels, 20)


def test_a_sample_is_never_larger_than_what_there_is() -> None:
    assert len(sample(["a", "b", "c"], {"a": 0, "b": 1, "c": 1}, 100)) == 3
