"""Each option of `scones endpoint deploy` reaches the request that it is about."""

import json

import pytest

from tests.scones.conftest import Cli
from tests.scones.fake_session import FakeSession
from tests.scones.fakes import S3, CloudFormation, SageMaker, Scaling, Scheduler

ARTEFACT = "s3://models/job/model.tar.gz"


@pytest.fixture
def session() -> FakeSession:
    return FakeSession(
        cloudformation=CloudFormation(),
        s3=S3(**{"models/job/model.tar.gz": b"model"}),
        sagemaker=SageMaker(),
        application_autoscaling=Scaling(),
        scheduler=Scheduler(),
    )


def deploy(session: FakeSession, cli: Cli, *words: str) -> None:
    result = cli("endpoint", "deploy", "--artefact", ARTEFACT, *words, session=session)
    assert result.exit_code == 0, (result.output, result.exception)


def test_an_artefact_is_served_in_place_of_a_folder(session: FakeSession, cli: Cli) -> None:
    deploy(session, cli)
    assert session.sent["sagemaker.create_model"]["PrimaryContainer"]["ModelDataUrl"] == ARTEFACT
    assert "s3.put_object" not in session.requests


def test_max_registers_scaling_from_min_to_max(session: FakeSession, cli: Cli) -> None:
    result = cli("endpoint", "deploy", "--artefact", ARTEFACT, "--min", "2", "--max", "5", "--json", session=session)
    target = session.sent["application-autoscaling.register_scalable_target"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 5)
    (variant,) = session.sent["sagemaker.create_endpoint_config"]["ProductionVariants"]
    assert variant["InitialInstanceCount"] == 2
    assert json.loads(result.stdout)["instances"] == "2 to 5"


def test_without_max_and_ttl_scaling_and_schedule_are_removed(session: FakeSession, cli: Cli) -> None:
    deploy(session, cli)
    assert session.requests["application-autoscaling.deregister_scalable_target"] == 1
    assert session.requests["scheduler.delete_schedule"] == 1
    assert "application-autoscaling.register_scalable_target" not in session.requests


def test_an_update_is_rolled_back_by_the_alarms(session: FakeSession, cli: Cli) -> None:
    deploy(session, cli)
    deploy(session, cli, "--instance-type", "ml.m5.2xlarge", "--alarm", "errors", "--alarm", "latency")
    rollback = session.sent["sagemaker.update_endpoint"]["DeploymentConfig"]["AutoRollbackConfiguration"]
    assert [alarm["AlarmName"] for alarm in rollback["Alarms"]] == ["errors", "latency"]


def test_a_subnet_and_a_security_group_make_a_vpc(session: FakeSession, cli: Cli) -> None:
    deploy(session, cli, "--subnet", "subnet-1", "--subnet", "subnet-2", "--security-group", "sg-1")
    vpc = session.sent["sagemaker.create_model"]["VpcConfig"]
    assert vpc == {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}


def test_a_kms_key_encrypts_volume_and_captures(session: FakeSession, cli: Cli) -> None:
    deploy(session, cli, "--kms-key", "alias/scones")
    config = session.sent["sagemaker.create_endpoint_config"]
    assert config["KmsKeyId"] == config["DataCaptureConfig"]["KmsKeyId"] == "alias/scones"


def test_a_ttl_is_a_schedule_by_the_stacks_role(session: FakeSession, cli: Cli) -> None:
    deploy(session, cli, "--ttl", "4h")
    target = session.sent["scheduler.create_schedule"]["Target"]
    assert target["RoleArn"].endswith("role/deletion")
    assert json.loads(target["Input"]) == {"EndpointName": "scones-vehicles"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--min", "3", "--max", "2"], "--max 2 is below --min 3"),
        (["--job", "j", "--artefact", ARTEFACT], "--job and --artefact"),
        (["--subnet", "s"], "--security-group"),
        (["--security-group", "s"], "--subnet"),
    ],
)
def test_contradictions_are_usage_errors_before_any_request(
    words: list[str], reason: str, session: FakeSession, cli: Cli
) -> None:
    result = cli("endpoint", "deploy", *words, session=session)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert not session.requests


def test_the_stack_is_described_once(session: FakeSession, cli: Cli) -> None:
    deploy(session, cli, "--ttl", "4h", "--max", "3")
    assert session.requests["cloudformation.describe_stacks"] == 1
