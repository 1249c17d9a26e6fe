"""An update that an alarm calls back: the alarm in the real LocalStack, the call that production makes."""

import uuid

import pytest

from tests.emulation.sagemaker.emulator import IMAGE, ROLE
from tests.integration.conftest import Running
from training import endpoint_deployment
from training.endpoint_spec import EndpointOptions, EndpointStatus
from training.errors import EndpointFailed

pytestmark = pytest.mark.integration


@pytest.fixture
def alarm(scripted: Running) -> str:
    name = f"errors-{uuid.uuid4().hex[:8]}"
    scripted.client("cloudwatch").put_metric_alarm(
        AlarmName=name, Namespace="AWS/SageMaker", MetricName="Invocation5XXErrors", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold",
    )  # fmt: skip
    return name


def deployed(scripted: Running, name: str, alarm: str, percent: int) -> EndpointStatus:
    bucket = scripted.outputs["DataBucket"]
    scripted.client("s3").put_object(Bucket=bucket, Key="models/any/model.tar.gz", Body=b"scripted")
    return endpoint_deployment.deploy(
        scripted.session, name=name, image_uri=IMAGE, model_data_url=f"s3://{bucket}/models/any/model.tar.gz",
        role_arn=ROLE, capture_uri=f"s3://{bucket}/capture", capture_percent=percent,
        options=EndpointOptions(alarms=(alarm,)),
    )  # fmt: skip


def test_an_alarm_that_sounds_takes_the_update_back(scripted: Running, alarm: str) -> None:
    name = f"rolled-{uuid.uuid4().hex[:8]}"
    first = deployed(scripted, name, alarm, 100)
    state = {"AlarmName": alarm, "StateReason": "test"}
    scripted.client("cloudwatch").set_alarm_state(StateValue="ALARM", **state)
    with pytest.raises(EndpointFailed, match=f"rolled back to .*: .* the alarm {alarm} is in ALARM"):
        deployed(scripted, name, alarm, 50)
    result = endpoint_deployment.status(scripted.session, name)
    assert (result.status, result.config_name, result.capture_percent) == ("InService", first.config_name, 100)
    scripted.client("cloudwatch").set_alarm_state(StateValue="OK", **state)
    assert deployed(scripted, name, alarm, 50).capture_percent == 50
    assert endpoint_deployment.delete(scripted.session, name)[0] == name
