"""Every alarm of the template is driven to ALARM and back by metrics, evaluated as CloudWatch documents it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarm-evaluation
No emulator evaluates metric math, so the few functions that the alarms use are evaluated here.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from orchestration.package import TEMPLATE
from tests.contracts.rendered import load
from training.endpoint_spec import BAKE_SECONDS

LOADED = load(TEMPLATE.read_text("utf-8"))
ALARMS: dict[str, dict[str, Any]] = {
    name.removesuffix("Alarm"): each["Properties"]
    for name, each in LOADED["Resources"].items()
    if each["Type"] == "AWS::CloudWatch::Alarm"
}
Series = Sequence[float | None]


def alarm_state(name: str, series: Mapping[str, Series]) -> str:
    """Return an alarm's state after these periods of its metrics, the newest last; None is a missing datapoint."""
    alarm = ALARMS[name]
    length = max(map(len, series.values()))
    values = [_value(alarm, {metric: points[at] for metric, points in series.items()}) for at in range(length)]
    evaluated = values[-alarm["EvaluationPeriods"] :]
    needed = alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"])
    assert alarm["TreatMissingData"] == "notBreaching"
    breaching = [value is not None and _breaches(alarm, value) for value in evaluated]
    return "ALARM" if sum(breaching) >= needed else "OK"


def _value(alarm: dict[str, Any], points: Mapping[str, float | None]) -> float | None:
    if "Metrics" not in alarm:
        return points[alarm["MetricName"]]
    (returned,) = [metric for metric in alarm["Metrics"] if metric["ReturnData"]]
    inputs = {metric["Id"]: points[metric["Id"]] for metric in alarm["Metrics"] if "MetricStat" in metric}
    present = {name: value for name, value in inputs.items() if value is not None}
    expression = returned.get("Expression")
    if expression is None:
        return present.get(returned["Id"])
    if expression == "SUM(METRICS())":
        return sum(present.values()) if present else None
    if expression == "MAX(METRICS())":
        return max(present.values(), default=None)
    if len(present) < len(inputs):
        return None
    python = re.sub(r"IF\((.+?), (.+), 0\)", r"(\2) if \1 else 0", expression)
    return float(eval(python, {}, present))  # noqa: S307 - an expression of our own template


def _breaches(alarm: dict[str, Any], value: float) -> bool:
    threshold = alarm["Threshold"]
    if isinstance(threshold, dict):
        threshold = LOADED["Parameters"][threshold["Ref"]]["Default"]
    above = alarm["ComparisonOperator"]
    assert above in {"GreaterThanThreshold", "GreaterThanOrEqualToThreshold"}
    return bool(value > threshold or (above == "GreaterThanOrEqualToThreshold" and value == threshold))


QUIET = [None] * 24
CASES: dict[str, tuple[dict[str, Series], dict[str, Series]]] = {
    # The first failure after idle hours, with metrics that come 15 minutes late; and 20 minutes without another.
    "FailedImages": (
        {"NumberOfMessagesSent": [*QUIET, 1.0, None, None, None]},
        {"NumberOfMessagesSent": [1.0, *QUIET]},
    ),
    "BrokenExecutions": (
        {"images_timed_out": [1.0], "images_aborted": [None], "batches_failed": [None]},
        {"images_timed_out": [None], "images_aborted": [0.0], "batches_failed": [None]},
    ),
    "Throttled": (
        {"serialize": [1.0, 2.0, 1.0], "classify": [None] * 3, "filter": [None] * 3},
        {"serialize": [1.0, 2.0, 0.0], "classify": [None] * 3, "filter": [None] * 3},
    ),
    "AgedMessages": ({"review": [86_400.0], "failure": [None]}, {"review": [86_399.0], "failure": [None]}),
    # Looked at so often that its age is gone; and taken out at last.
    "WaitingMessages": (
        {"review": [1.0] * 24, "failure": [0.0] * 24},
        {"review": [1.0] * 24 + [0.0], "failure": [0.0] * 25},
    ),
    "BatchTimeouts": ({"BatchItemsTimedOut": [3.0]}, {"BatchItemsTimedOut": [3.0, 0.0]}),
    "EndpointErrors": (
        {"errors": [0.0, 10.0, 10.0], "invocations": [100.0] * 3},
        {"errors": [10.0, 5.0, 0.0], "invocations": [100.0] * 3},
    ),
    "DeadLetter": (
        {"ApproximateNumberOfMessagesVisible": [1.0]},
        {"ApproximateNumberOfMessagesVisible": [1.0, 0.0]},
    ),
    "Slow": ({"p95": [10_001.0] * 3}, {"p95": [10_001.0, 10_001.0, 9_000.0]}),
    "LowConfidence": ({"reviews": [9.0], "decided": [20.0]}, {"reviews": [9.0], "decided": [19.0]}),
}


def test_every_alarm_has_its_case() -> None:
    assert set(CASES) == set(ALARMS)


@pytest.mark.parametrize("name", CASES)
def test_an_alarm_is_raised_and_clears(name: str) -> None:
    raising, clearing = CASES[name]
    assert alarm_state(name, raising) == "ALARM"
    assert alarm_state(name, clearing) == "OK"


def test_a_queue_that_is_emptied_every_day_raises_nothing() -> None:
    assert alarm_state("WaitingMessages", {"review": [5.0] * 23 + [0.0], "failure": [None] * 24}) == "OK"


def test_the_rollback_alarm_acts_within_the_time_in_which_an_update_can_roll_back() -> None:
    alarm = ALARMS["EndpointErrors"]
    periods = {metric["MetricStat"]["Period"] for metric in alarm["Metrics"] if "MetricStat" in metric}
    assert alarm["EvaluationPeriods"] * max(periods) < BAKE_SECONDS


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_looks_back_a_day_at_most_as_cloudwatch_demands(name: str) -> None:
    alarm = ALARMS[name]
    periods = [metric["MetricStat"]["Period"] for metric in alarm.get("Metrics", ()) if "MetricStat" in metric]
    assert alarm["EvaluationPeriods"] * max(periods or [alarm.get("Period", 0)]) <= 86_400
