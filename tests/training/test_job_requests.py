"""Every request of training jobs and endpoints with all their options is valid by botocore's models."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from emulation.session import LocalSession
from tests.emulation.fakes.s3 import fake_s3
from tests.emulation.sagemaker.emulator import IMAGE, ROLE, Emulator, model_archive
from tests.emulation.sagemaker.training_requests import stage
from tests.training import service_models
from training import endpoint_deployment, jobs, recipes
from training.endpoint_spec import EndpointOptions
from training.request_recorder import RecordedRequest, RequestRecorder

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
def recorder(emulator: Emulator) -> RequestRecorder:
    return RequestRecorder(LocalSession(emulator.s3.url, emulator.url))


def all_faults(recorder: RequestRecorder) -> list[str]:
    assert recorder.requests
    assert recorder.responses
    faults = [
        f"{request.operation}{fault}" for request in recorder.requests for fault in service_models.of_request(request)
    ]
    return faults + [f"{a.operation}{fault}" for a in recorder.responses for fault in service_models.of_response(a)]


def sent(recorder: RequestRecorder, operation: str) -> RecordedRequest:
    return next(request for request in recorder.requests if request.operation == operation)


@pytest.mark.parametrize("recipe_name", list(recipes.RECIPES))
def test_a_job_with_every_option(recorder: RequestRecorder, recipe_name: str) -> None:
    recipe = recipes.get_recipe(recipe_name)
    values = recipes.build_hyperparameters(recipe, 4, 2)
    spec = jobs.TrainingJobSpec(f"all-{recipe_name}", recipe, values, "vehicles", "ml.m5.xlarge", spot=True)
    jobs.submit(recorder.session, spec, jobs.JobEnvironment(ROLE, "data", TAGS, KEY, **VPC))
    jobs.status(recorder.session, spec.name)
    assert all_faults(recorder) == []
    created = sent(recorder, "CreateTrainingJob").json
    assert created["VpcConfig"] == {"Subnets": [*VPC["subnets"]], "SecurityGroupIds": [*VPC["security_groups"]]}
    assert (created["OutputDataConfig"]["KmsKeyId"], created["ResourceConfig"]["VolumeKmsKeyId"]) == (KEY, KEY)
    assert created["StoppingCondition"]["MaxWaitTimeInSeconds"] >= created["StoppingCondition"]["MaxRuntimeInSeconds"]
    assert {tag["Key"]: tag["Value"] for tag in created["Tags"]} == TAGS


def test_an_endpoint_with_every_option_and_its_update(recorder: RequestRecorder) -> None:
    options = EndpointOptions(kms_key=KEY, tags=TAGS, alarms=("errors", "latency"), instances=2, **VPC)
    settings: dict[str, Any] = {
        "name": "all",
        "image_uri": IMAGE,
        "model_data_url": "s3://models/model.tar.gz",
        "role_arn": ROLE,
    }
    for percent in (100, 50):
        endpoint_deployment.deploy(
            recorder.session, capture_uri="s3://captures/data", capture_percent=percent, options=options, **settings
        )
    endpoint_deployment.delete(recorder.session, "all")
    assert all_faults(recorder) == []
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
def test_the_check_finds_a_planted_fault(recorder: RequestRecorder, body: bytes, fault: str) -> None:
    made: dict[str, Any] = {
        "name": f"planted-{uuid.uuid4().hex[:8]}",
        "image_uri": IMAGE,
        "model_data_url": "s3://models/model.tar.gz",
        "role_arn": ROLE,
    }
    endpoint_deployment.deploy(recorder.session, capture_uri="s3://captures/data", **made)
    whole = sent(recorder, "CreateEndpoint")
    assert service_models.of_request(whole) == []
    assert any(fault in result for result in service_models.of_request(replace(whole, body=body)))
