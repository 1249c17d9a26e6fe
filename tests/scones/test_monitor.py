import hashlib
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
import typer
from botocore.stub import ANY, Stubber

from monitoring import drift, metrics
from monitoring.baseline import Baseline
from monitoring.drift import Verdict
from monitoring.errors import BaselineMissing
from monitoring.timeline import Timeline
from monitoring.window import Window
from scones import baseline as baseline_command
from scones import monitor
from scones.errors import AnswersMissing, AnswersUnreadable
from scones.pipeline import Deployed

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "since", "until"),
    [
        ((None, None, None), NOW - timedelta(days=1), None),
        (("90s", None, None), NOW - timedelta(seconds=90), None),
        (("7d", None, None), NOW - timedelta(days=7), None),
        (("1h", None, "2026-03-01T06:00"), NOW - timedelta(hours=7), NOW - timedelta(hours=6)),
        ((None, "2026-03-01T06:00+02:00", None), NOW - timedelta(hours=8), None),
    ],
)
def test_a_time_range_is_read(given: tuple[Any, Any, Any], since: datetime, until: datetime | None) -> None:
    assert monitor.span_of(*given, NOW) == monitor.Span(since, until)


@pytest.mark.parametrize(
    "given",
    [
        ("1h", "2026-03-01", None),
        ("1 hour", None, None),
        ("0h", None, None),
        (None, "noon", None),
        (None, "2027-01-01", None),
    ],
)
def test_a_time_range_that_is_none_is_refused(given: tuple[Any, Any, Any]) -> None:
    with pytest.raises(typer.BadParameter):
        monitor.span_of(*given, NOW)


def test_every_verdict_has_an_exit_code() -> None:
    assert monitor.EXIT_CODES == {Verdict.UNKNOWN: 0, Verdict.STABLE: 0, Verdict.WATCH: 3, Verdict.DRIFTED: 4}
    assert set(monitor.EXIT_CODES) == set(Verdict)


def test_a_baseline_that_was_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BaselineMissing):
        monitor.read_baseline(tmp_path / "baseline.json")
    monkeypatch.setattr(monitor, "BASELINE", tmp_path / "baseline.json")
    assert monitor.read_baseline(tmp_path / "baseline.json") is None


def test_the_shipped_baseline_is_of_the_shipped_network() -> None:
    found = Baseline.read(monitor.BASELINE)
    network = (monitor.BASELINE.parent / "model.onnx").read_bytes()
    assert found.model == hashlib.sha256(network).hexdigest()
    assert found.n >= 1000


def window(n: int = 200) -> Window:
    dice = np.random.default_rng(n)
    return Window(1.7e9 + np.arange(n, dtype=np.float64), dice.uniform(0.8, 1, n), (np.arange(n) % 2).astype(np.int8))


def stubbed(service: str) -> tuple[Any, Stubber]:
    client = boto3.client(service, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
    return client, Stubber(client)


def test_the_figures_are_published_in_the_form_that_cloudwatch_takes() -> None:
    seen = window()
    then = Baseline.of(seen.confidences, seen.labels, (), source="here")
    report, timeline = drift.look(seen, then, 0.94), Timeline.of(seen, 0.94)
    client, stub = stubbed("cloudwatch")
    stub.add_response("put_metric_data", {}, {"Namespace": "Scones", "MetricData": ANY})
    with stub:
        assert metrics.publish(client, "e", report, timeline, NOW) == 5 + len(report.signals)
    stub.assert_no_pending_responses()


def test_an_unknown_verdict_is_no_metric() -> None:
    seen = window(0)
    client, stub = stubbed("cloudwatch")
    expected = [
        {
            "MetricName": "Inferences",
            "Dimensions": [{"Name": "EndpointName", "Value": "e"}],
            "Timestamp": NOW,
            "Value": 0.0,
            "Unit": "Count",
        }
    ]
    stub.add_response("put_metric_data", {}, {"Namespace": "Scones", "MetricData": expected})
    with stub:
        metrics.publish(client, "e", drift.look(seen, None, 0.94), Timeline.of(seen, 0.94), NOW)
    stub.assert_no_pending_responses()


@pytest.mark.parametrize("days", [1 / 24, 1, 60, 400])
def test_latency_comes_from_sagemakers_own_metric(days: float) -> None:
    client, stub = stubbed("cloudwatch")
    points = [
        {"Sum": 30_000.0, "SampleCount": 2.0, "Maximum": 20_000.0},
        {"Sum": 30_000.0, "SampleCount": 1.0, "Maximum": 30_000.0},
    ]
    stub.add_response("get_metric_statistics", {"Datapoints": points}, None)
    stub.add_response("get_metric_statistics", {"Datapoints": []}, None)
    with stub:
        found = metrics.latency(client, "e", "AllTraffic", NOW - timedelta(days=days), NOW)
        nothing = metrics.latency(client, "e", "AllTraffic", NOW - timedelta(days=days), NOW)
    assert (found.mean, found.worst) == (20.0, 30.0)
    assert (nothing.mean, nothing.worst) == (None, None)


DEPLOYED = Deployed(
    **dict.fromkeys((each.name for each in fields(Deployed) if each.type is str), "name"),
    threshold=0.94,
)


class OneClient:
    """A session with one client only."""

    def __init__(self, client: Any) -> None:
        self.client = lambda _service: client


def test_an_endpoint_that_was_deleted_has_left_its_captures() -> None:
    client, stub = stubbed("sagemaker")
    for _ in range(2):
        stub.add_client_error("describe_endpoint", "ValidationException", 'Could not find endpoint "vehicles".')
    session: Any = OneClient(client)
    with stub:
        found = monitor.place_of(session, "vehicles", replace(DEPLOYED, data_bucket="bucket"))
        assert (found.bucket, found.root) == ("bucket", "capture/vehicles/AllTraffic")
        with pytest.raises(client.exceptions.ClientError, match="Could not find"):
            monitor.place_of(session, "vehicles", None)


def test_without_out_of_fold_answers_the_ways_out_are_named(tmp_path: Path) -> None:
    with pytest.raises(AnswersMissing, match="--test or --captured"):
        list(baseline_command._rows(tmp_path / "out_of_fold.csv"))


@pytest.mark.parametrize("text", ["", "a,b\n", "file,label,bicycle,motorcycle\nx.png,0,nine,0.1\n"])
def test_answers_that_training_did_not_write_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "out_of_fold.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(AnswersUnreadable, match="out_of_fold"):
        list(baseline_command._rows(path))


def test_the_accuracy_of_a_baseline_is_that_of_its_answers(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"network")
    answered = [baseline_command.Answered(n % 2, (0.9, 0.1), None) for n in range(100)]
    made = baseline_command.of_answers(answered, "here", tmp_path)
    assert (made.accuracy, made.labels, made.n) == (0.5, (100, 0), 100)
