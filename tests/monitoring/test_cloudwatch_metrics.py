from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.stub import ANY, Stubber

from monitoring import cloudwatch_metrics, drift
from monitoring.baseline import Baseline
from monitoring.timeline import Timeline
from monitoring.window import InferenceWindow

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def window(n: int = 200) -> InferenceWindow:
    generator = np.random.default_rng(n)
    return InferenceWindow(
        1.7e9 + np.arange(n, dtype=np.float64), generator.uniform(0.8, 1, n), (np.arange(n) % 2).astype(np.int8)
    )


def stubbed(service: str) -> tuple[Any, Stubber]:
    client = boto3.client(service, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
    return client, Stubber(client)


def test_the_figures_are_published_in_the_form_that_cloudwatch_takes() -> None:
    seen = window()
    then = Baseline.of(seen.confidences, seen.labels, (), source="here")
    report, timeline = drift.compare(seen, then, 0.94), Timeline.of(seen, 0.94)
    client, stub = stubbed("cloudwatch")
    stub.add_response("put_metric_data", {}, {"Namespace": "Scones", "MetricData": ANY})
    with stub:
        assert cloudwatch_metrics.publish(client, "e", report, timeline, NOW) == 5 + len(report.signals)
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
        cloudwatch_metrics.publish(client, "e", drift.compare(seen, None, 0.94), Timeline.of(seen, 0.94), NOW)
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
        result = cloudwatch_metrics.latency(client, "e", "AllTraffic", NOW - timedelta(days=days), NOW)
        nothing = cloudwatch_metrics.latency(client, "e", "AllTraffic", NOW - timedelta(days=days), NOW)
    assert (result.mean, result.worst) == (20.0, 30.0)
    assert (nothing.mean, nothing.worst) == (None, None)
