"""Metrics are read from a job's log and published to CloudWatch under the names that AWS's clients expect."""

import asyncio
from typing import Any

import botocore.session
import pytest
from botocore.stub import ANY, Stubber

from emulation.sagemaker.training import image_classification
from emulation.sagemaker.training.job_metrics import Metrics

LOG = """
[11/26/2026 11:00:00 INFO 140] Epoch[0] Train-accuracy=0.500000
[11/26/2026 11:00:01 INFO 140] Epoch[0] Validation-accuracy=0.610000
Epoch[1] Train-accuracy=0.750000
Epoch[1] Validation-accuracy=nan
Epoch[1] Validation-accuracy=0.810000
"""


@pytest.fixture
def cloudwatch() -> Any:
    return botocore.session.get_session().create_client(
        "cloudwatch", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )


def published(name: str, value: float) -> dict[str, Any]:
    return {
        "MetricName": name,
        "Value": value,
        "Timestamp": ANY,
        "Dimensions": [{"Name": "TrainingJobName", "Value": "job"}],
    }


def test_every_value_is_published_and_the_last_is_final(cloudwatch: Any) -> None:
    values = [
        published("train:accuracy", 0.5),
        published("validation:accuracy", 0.61),
        published("train:accuracy", 0.75),
        published("validation:accuracy", 0.81),
    ]
    metrics = Metrics(image_classification.METRICS, lambda: 1_700_000_000.0, cloudwatch, "job")
    for line in LOG.splitlines():
        metrics.read(line)
    with Stubber(cloudwatch) as stub:
        stub.add_response("put_metric_data", {}, {"Namespace": "/aws/sagemaker/TrainingJobs", "MetricData": values})
        asyncio.run(metrics.publish())
        asyncio.run(metrics.publish())
        stub.assert_no_pending_responses()
    assert {metric["MetricName"]: metric["Value"] for metric in metrics.final()} == {
        "train:accuracy": 0.75,
        "validation:accuracy": 0.81,
    }


def test_what_cloudwatch_refuses_is_published_later(cloudwatch: Any) -> None:
    metrics = Metrics(image_classification.METRICS, lambda: 1_700_000_000.0, cloudwatch, "job")
    metrics.read("Epoch[0] Train-accuracy=0.5")
    with Stubber(cloudwatch) as stub:
        stub.add_client_error("put_metric_data", "InternalFailure", http_status_code=500)
        asyncio.run(metrics.publish())
        stub.add_response("put_metric_data", {})
        asyncio.run(metrics.publish())
        stub.assert_no_pending_responses()
