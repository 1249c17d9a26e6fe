import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from monitoring.evaluation import Prediction
from orchestration.executions import Image, Outcome
from scones.demo_summary import Summary, answers, figures, render
from scones.recent_executions import BELOW_THRESHOLD
from scones.sampling import sample


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
    assert answers(OUTCOMES, LABELS, {}) == [Prediction(0, (0.99, 0.01)), Prediction(1, (0.99, 0.01))]


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


SCREEN = """\
╭────────────────────────────── Scones ───────────────────────────────╮
│ Where the images ended                                              │
│  outcome                                  ┃ images                  │
│ ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━                 │
│  classified                               │      2                  │
│  ThresholdConfidenceNotMet → review queue │      1                  │
│  UnsupportedImage → failure queue         │      1                  │
│                                                                     │
│ data                  synthetic, held-out test images               │
│ accuracy              66.7%  (2 of 3; 95 % interval 20.8% to 93.9%) │
│ accepted at 0.94      66.7%  (2 of 3; 95 % interval 20.8% to 93.9%) │
│ right among accepted  50.0%  (1 of 2; 95 % interval 9.5% to 90.5%)  │
│ latency               p50 100 ms, p95 100 ms an execution           │
│ captured              3 of 3 answered inferences                    │
│ queues                review 1, failure 1                           │
│ time                  up 1.0 s, run 2.5 s                           │
│ logs                  .scones/logs                                  │
╰─────────────────── every image is accounted for ────────────────────╯
"""


def screen(found: Summary, colours: bool = False) -> str:
    console = Console(width=100, color_system="standard" if colours else None, force_terminal=colours)
    with console.capture() as captured:
        console.print(render(found, 0.94))
    return captured.get()


def test_the_screen_shows_every_figure_of_the_summary() -> None:
    assert screen(summary(seconds={"up": 1.0, "run": 2.5}, where={"logs": ".scones/logs"})) == SCREEN


def test_colours_tell_a_review_from_a_failure_and_what_is_missing() -> None:
    shown = screen(summary(captured=2), colours=True)
    green, yellow, red, bold = (f"\x1b[{code}m" for code in (32, 33, 31, 1))
    assert f"{green}classified" in shown
    assert f"{yellow}{BELOW_THRESHOLD}" in shown
    assert f"{red}UnsupportedImage" in shown
    assert f"{red}some images are not accounted for: see the logs" in shown
    assert f"{bold}right among accepted" in shown


def test_the_file_has_every_figure_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text("an earlier one")
    summary(where={"logs": "logs"}).write(path)
    expected = {
        "dataset": "synthetic", "images": 4, "executions": {"SUCCEEDED": 2, "FAILED": 2},
        "errors": {BELOW_THRESHOLD: 1, "UnsupportedImage": 1},
        "accuracy": 0.6667, "accuracy_interval": [0.2077, 0.9385], "accepted": 0.6667,
        "accuracy_accepted": 0.5, "accuracy_accepted_interval": [0.0945, 0.9055],
        "latency_ms": {"p50": 100.0, "p95": 100.0}, "captured": 3, "answered": 3, "review_queue": 1, "failure_queue": 1,
        "seconds": {"up": 1.0}, "where": {"logs": "logs"},
    }  # fmt: skip
    assert path.read_text() == json.dumps(expected, indent=2) + "\n"


def test_an_interval_of_nothing_is_null_and_a_single_answer_has_one() -> None:
    found = summary(**figures([], [], 0.94)).to_dict()
    assert found["accuracy_interval"] is found["accuracy_accepted_interval"] is None
    assert found["executions"] == {"SUCCEEDED": 0, "FAILED": 0}
    alone = summary(**figures(OUTCOMES[:1], [Prediction(0, (0.99, 0.01))], 0.94)).to_dict()
    assert alone["accuracy_interval"] == [0.2065, 1.0]


def test_latency_is_of_the_executions_that_were_answered() -> None:
    slow = Outcome(Image("b", "s"), "arn:s", "SUCCEEDED", {"inferences": [1, 0]}, None, None, 300.0)
    broken = Outcome(Image("b", "x"), "arn:x", "FAILED", None, "ImageNotFound", None, 9000.0)
    unsure = Outcome(Image("b", "u"), "arn:u", "FAILED", None, BELOW_THRESHOLD, None, 100.0)
    assert figures([slow, broken, unsure], [], 0.94)["latency_ms"] == {"p50": 200.0, "p95": 290.0}


def test_errors_come_most_frequent_first_and_a_status_stands_in_for_a_missing_name() -> None:
    lost = Outcome(Image("b", "l"), "arn:l", "TIMED_OUT", None, None, None, 1.0)
    found = figures([lost, outcome("a", "ImageNotFound"), outcome("b", "ImageNotFound")], [], 0.94)
    assert list(found["errors"].items()) == [("ImageNotFound", 2), ("TIMED_OUT", 1)]
    assert found["executions"] == {"SUCCEEDED": 0, "FAILED": 2, "TIMED_OUT": 1}


def test_an_image_without_a_label_is_no_answer() -> None:
    assert answers(OUTCOMES[:2], {"right.png": 0}, {}) == [Prediction(0, (0.99, 0.01))]


def test_a_run_in_which_nothing_succeeded_can_be_accounted_for() -> None:
    assert summary(executions={}, images=2).is_accounted_for


def test_a_sample_takes_the_classes_by_turns_and_is_the_same_each_time() -> None:
    labels = {f"{n}.png": int(n >= 50) for n in range(100)}
    chosen = sample(sorted(labels), labels, 20)
    assert [labels[key] for key in chosen] == [0, 1] * 10
    assert chosen == sample(sorted(labels), labels, 20)


def test_a_sample_is_never_larger_than_what_there_is() -> None:
    assert len(sample(["a", "b", "c"], {"a": 0, "b": 1, "c": 1}, 100)) == 3
