"""Whatever training and hosting can be asked for becomes requests that botocore's models know, field by field."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from emulation.session import OfflineSession
from tests.emulation.sagemaker.fake_s3 import fake_s3
from tests.emulation.sagemaker.harness import IMAGE, ROLE, Emulator, model_archive
from tests.emulation.sagemaker.jobs import stage
from tests.training import service_models
from training import endpoint_deployment, jobs, recipes
from training.endpoint_settings import Options
from training.request_recorder import Recorder, Request

KEY = "arn:aws:kms:us-east-1:000000000000:key/1234"
TAGS = {"scones:stack": "test", "owner": "two words"}
VPC: dict[str, Any] = {"subnets": ("subnet-0123456789abcdef0",), "security_groups": ("sg-0123456789abcdef0",)}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with fake_s3() as s3:
        running = Emulator(tmp_path_factory.mktemp("requests") / "state", s3).start()
        s3.objects["models/model.tar.gz"] = model_archive()
        stage(s3, "vehicles")
        for name in [name for name in s3.objects if "/validation" in name]:  # as `scones stage` calls it
            s3.objects[name.replace("/validation", "/test")] = s3.objects.pop(name)
        yield running
        running.stop()


@pytest.fixture
def recorder(emulator: Emulator) -> Recorder:
    return Recorder(OfflineSession(emulator.s3.url, emulator.url))


def faults(recorder: Recorder) -> list[str]:
    assert recorder.requests
    assert recorder.answers
    found = [
        f"{request.operation}{fault}" for request in recorder.requests for fault in service_models.of_request(request)
    ]
    return found + [f"{a.operation}{fault}" for a in recorder.answers for fault in service_models.of_answer(a)]


def sent(recorder: Recorder, operation: str) -> Request:
    return next(request for request in recorder.requests if request.operation == operation)


@pytest.mark.parametrize("recipe", list(recipes.RECIPES))
def test_a_job_with_everything_that_it_may_have(recorder: Recorder, recipe: str) -> None:
    wanted = recipes.named(recipe)
    values = recipes.hyperparameters(wanted, 4, 2)
    order = jobs.Order(f"all-{recipe}", wanted, values, "vehicles", wanted.instance_type, spot=True)
    jobs.submit(recorder.session, order, jobs.Surroundings(ROLE, "data", TAGS, KEY, **VPC))
    jobs.status(recorder.session, order.name)
    assert faults(recorder) == []
    made = sent(recorder, "CreateTrainingJob").json
    assert made["VpcConfig"] == {"Subnets": [*VPC["subnets"]], "SecurityGroupIds": [*VPC["security_groups"]]}
    assert (made["OutputDataConfig"]["KmsKeyId"], made["ResourceConfig"]["VolumeKmsKeyId"]) == (KEY, KEY)
    assert made["StoppingCondition"]["MaxWaitTimeInSeconds"] >= made["StoppingCondition"]["MaxRuntimeInSeconds"]
    assert {tag["Key"]: tag["Value"] for tag in made["Tags"]} == TAGS


def test_an_endpoint_with_everything_that_it_may_have_and_its_update(recorder: Recorder) -> None:
    options = Options(kms_key=KEY, tags=TAGS, alarms=("errors", "latency"), instances=2, **VPC)
    said: dict[str, Any] = {
        "name": "all",
        "image_uri": IMAGE,
        "model_data_url": "s3://models/model.tar.gz",
        "role_arn": ROLE,
    }
    for percent in (100, 50):
        endpoint_deployment.deploy(
            recorder.session, capture_uri="s3://captures/data", capture_percent=percent, options=options, **said
        )
    endpoint_deployment.delete(recorder.session, "all")
    assert faults(recorder) == []
    assert sent(recorder, "CreateModel").json["VpcConfig"]["Subnets"] == [*VPC["subnets"]]
    assert sent(recorder, "CreateModel").json["EnableNetworkIsolation"] is True
    config = sent(recorder, "CreateEndpointConfig").json
    assert (config["KmsKeyId"], config["DataCaptureConfig"]["KmsKeyId"]) == (KEY, KEY)
    assert config["ProductionVariants"][0]["InitialInstanceCount"] == 2
    policy = sent(recorder, "UpdateEndpoint").json["DeploymentConfig"]
    assert policy["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": "errors"}, {"AlarmName": "latency"}]}
    assert policy["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["Type"] == "ALL_AT_ONCE"


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b'{"EndpointName": "a", "EndpointConfigName": "b", "Surprise": 1}', "no such member"),
        (b'{"EndpointName": "a"}', "Missing required parameter"),
        (b'{"EndpointName": "under_score", "EndpointConfigName": "b"}', "does not match"),
        (b'{"EndpointName": "a", "EndpointConfigName": 7}', "Invalid type"),
        (b'{"EndpointName": "a", "EndpointConfigName": "b", "Tags": [{"Key": "", "Value": "x"}]}', "not within"),
        (
            b'{"EndpointName": "a", "DeploymentConfig": {"RollingUpdatePolicy": {"MaximumBatchSize": {"Type": "X"}}}}',
            "is none of",
        ),
    ],
)
def test_the_check_finds_what_is_planted(recorder: Recorder, body: bytes, fault: str) -> None:
    made: dict[str, Any] = {
        "name": f"planted-{uuid.uuid4().hex[:8]}",
        "image_uri": IMAGE,
        "model_data_url": "s3://models/model.tar.gz",
        "role_arn": ROLE,
    }
    endpoint_deployment.deploy(recorder.session, capture_uri="s3://captures/data", **made)
    whole = sent(recorder, "CreateEndpoint")
    assert service_models.of_request(whole) == []
    assert any(fault in found for found in service_models.of_request(replace(whole, body=body)))
