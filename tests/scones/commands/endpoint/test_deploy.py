"""Each option of `scones endpoint deploy` reaches the request that it is about."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.scones.conftest import Cli
from tests.scones.fake_cloudformation import OUTPUTS, CloudFormation
from tests.scones.fake_session import FakeSession
from tests.scones.fakes import S3, Ecr, Logs, Pricing, SageMaker, Scaling, Scheduler, ServiceQuotas
from training.errors import QuotaTooLow
from training.vehicle_net.errors import IncompleteModel

ARTIFACT = "s3://models/job/model.tar.gz"


@pytest.fixture
def session() -> FakeSession:
    return FakeSession(
        cloudformation=CloudFormation(),
        s3=S3(**{"models/job/model.tar.gz": b"model"}),
        sagemaker=SageMaker(),
        application_autoscaling=Scaling(),
        scheduler=Scheduler(),
    )


class Killed(FakeSession):
    """Ends the command in place of one of its requests, as a signal does."""

    def __init__(self, after: int, **fakes: object) -> None:
        super().__init__(**fakes)
        self._after = after

    def _record(self, params: dict[str, Any], model: Any, **more: Any) -> None:
        if self.requests.total() == self._after:
            raise KeyboardInterrupt
        super()._record(params, model, **more)


def deploy(session: FakeSession, cli: Cli, *words: str) -> None:
    result = cli("endpoint", "deploy", "--artifact", ARTIFACT, *words, session=session)
    assert result.exit_code == 0, (result.output, result.exception)


def test_a_model_artifact_is_served_instead_of_a_folder(session: FakeSession, cli: Cli) -> None:
    deploy(session, cli)
    assert session.sent["sagemaker.create_model"]["PrimaryContainer"]["ModelDataUrl"] == ARTIFACT
    assert "s3.put_object" not in session.requests


def test_a_folder_that_is_no_model_is_refused_before_anything_is_created(
    session: FakeSession, cli: Cli, tmp_path: Path
) -> None:
    result = cli("endpoint", "deploy", "--model", str(tmp_path), session=session)
    assert isinstance(result.exception, IncompleteModel)
    assert set(session.requests) <= {"cloudformation.describe_stacks"}


def test_the_option_of_version_1_0_still_names_the_model_artifact(session: FakeSession, cli: Cli) -> None:
    assert cli("endpoint", "deploy", "--artefact", ARTIFACT, session=session).exit_code == 0
    assert session.sent["sagemaker.create_model"]["PrimaryContainer"]["ModelDataUrl"] == ARTIFACT
    assert "--artefact" not in cli("endpoint", "deploy", "--help").stdout


def test_endpoint_configuration_and_model_have_the_stacks_tags(session: FakeSession, cli: Cli) -> None:
    deploy(session, cli)
    for operation in ("create_model", "create_endpoint_config", "create_endpoint"):
        tags = {tag["Key"]: tag["Value"] for tag in session.sent[f"sagemaker.{operation}"]["Tags"]}
        assert tags == {"CostCenter": "42", "scones:stack": "scones"}


def test_max_registers_scaling_from_min_to_max(session: FakeSession, cli: Cli) -> None:
    result = cli("endpoint", "deploy", "--artifact", ARTIFACT, "--min", "2", "--max", "5", "--json", session=session)
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


def test_a_kms_key_is_left_to_the_captures_where_the_instance_has_nvme(session: FakeSession, cli: Cli) -> None:
    deploy(session, cli, "--kms-key", "alias/scones", "--instance-type", "ml.g5.xlarge")
    config = session.sent["sagemaker.create_endpoint_config"]
    assert config["DataCaptureConfig"]["KmsKeyId"] == "alias/scones"
    assert "KmsKeyId" not in config


def killed_after(requests: int, cli: Cli) -> tuple[int, SageMaker, Scheduler]:
    """Deploy with a TTL, end the command after so many requests, and return how many it has sent."""
    sagemaker, scheduler = SageMaker(), Scheduler()
    session = Killed(
        after=requests, cloudformation=CloudFormation(), s3=S3(**{"models/job/model.tar.gz": b"model"}),
        sagemaker=sagemaker, application_autoscaling=Scaling(), scheduler=scheduler,
    )  # fmt: skip
    cli("endpoint", "deploy", "--artifact", ARTIFACT, "--ttl", "4h", "--max", "2", session=session)
    return session.requests.total(), sagemaker, scheduler


def test_an_endpoint_never_exists_without_its_schedule_whenever_the_command_is_killed(cli: Cli) -> None:
    total, sagemaker, scheduler = killed_after(1000, cli)
    assert sagemaker.endpoint is not None
    for requests in range(total):
        sent, sagemaker, scheduler = killed_after(requests, cli)
        assert sent == requests
        assert sagemaker.endpoint is None or scheduler.schedules, f"killed after {requests} requests"


def test_a_ttl_begins_when_the_endpoint_is_in_service(session: FakeSession, cli: Cli) -> None:
    deploy(session, cli, "--ttl", "4h")
    names = ("scheduler.create_schedule", "sagemaker.create_endpoint", "scheduler.update_schedule")
    assert session.in_order(*names) == list(names)


def test_the_endpoint_has_the_name_in_the_stacks_parameters(cli: Cli) -> None:
    cloudformation, scheduler, sagemaker = CloudFormation(), Scheduler(), SageMaker()
    cloudformation.outputs = {**OUTPUTS, "EndpointName": "prod-vehicles"}
    session = FakeSession(
        cloudformation=cloudformation, s3=S3(**{"models/job/model.tar.gz": b"model"}), sagemaker=sagemaker,
        application_autoscaling=Scaling(), scheduler=scheduler, logs=Logs(), ecr=Ecr(),
    )  # fmt: skip
    deploy(session, cli, "--ttl", "4h", "--max", "2")
    resource = session.sent["application-autoscaling.register_scalable_target"]["ResourceId"]
    assert resource == "endpoint/prod-vehicles/variant/AllTraffic"
    assert list(scheduler.schedules) == ["delete-prod-vehicles"]
    shown = cli("endpoint", "status", "--json", session=session)
    assert json.loads(shown.stdout)["name"] == "prod-vehicles"
    assert cli("endpoint", "delete", "--yes", session=session).exit_code == 0
    assert (sagemaker.endpoint, scheduler.schedules) == (None, {})
    deploy(session, cli, "--ttl", "4h", "--max", "2")
    assert cli("destroy", "--yes", session=session).exit_code == 0
    assert (sagemaker.endpoint, scheduler.schedules) == (None, {})


def test_a_ttl_is_a_schedule_by_the_stacks_role(session: FakeSession, cli: Cli) -> None:
    deploy(session, cli, "--ttl", "4h")
    target = session.sent["scheduler.create_schedule"]["Target"]
    assert target["RoleArn"].endswith("role/deletion")
    assert json.loads(target["Input"]) == {"EndpointName": "scones-vehicles"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--min", "3", "--max", "2"], "--max 2 is below --min 3"),
        (["--job", "j", "--artifact", ARTIFACT], "--job and --artifact"),
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


@pytest.mark.parametrize(("quota", "enough"), [(1.0, False), (2.0, True)])
def test_an_update_needs_a_quota_for_a_second_fleet(quota: float, enough: bool, cli: Cli) -> None:
    session = FakeSession(
        cloudformation=CloudFormation(), s3=S3(**{"models/job/model.tar.gz": b"model"}), sagemaker=SageMaker(),
        application_autoscaling=Scaling(), scheduler=Scheduler(), ecr=Ecr(),
        service_quotas=ServiceQuotas(quota), pricing=Pricing(),
    )  # fmt: skip
    deploy(session, cli)
    result = cli("endpoint", "deploy", "--artifact", ARTIFACT, "--target", "aws", "--yes", session=session)
    assert (result.exit_code == 0) is enough, (result.output, result.exception)
    assert isinstance(result.exception, QuotaTooLow) is not enough
    assert ("sagemaker.update_endpoint" in session.requests) is enough
