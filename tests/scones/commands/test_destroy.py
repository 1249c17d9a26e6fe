"""What `scones destroy` deletes, and in which order."""

import json

import pytest

from orchestration.errors import StackNotFound, StackProtected
from tests.scones.conftest import Cli
from tests.scones.fake_cloudformation import CloudFormation
from tests.scones.fake_session import FakeSession
from tests.scones.fakes import S3, Ecr, Logs, SageMaker, Scaling, Scheduler

DELETIONS = (
    "application-autoscaling.deregister_scalable_target",
    "sagemaker.delete_endpoint",
    "scheduler.delete_schedule",
    "cloudformation.delete_stack",
    "logs.delete_log_group",
    "ecr.batch_delete_image",
)


def session_of(cloudformation: CloudFormation, sagemaker: SageMaker) -> FakeSession:
    return FakeSession(
        cloudformation=cloudformation, s3=S3(), ecr=Ecr(), logs=Logs(), sagemaker=sagemaker,
        application_autoscaling=Scaling(), scheduler=Scheduler(),
    )  # fmt: skip


@pytest.fixture
def session() -> FakeSession:
    """A stack whose endpoint is in service."""
    sagemaker = SageMaker()
    sagemaker.create_endpoint(EndpointName="scones-vehicles", EndpointConfigName="c")
    return session_of(CloudFormation(), sagemaker)


def test_on_aws_it_asks_and_names_what_will_be_deleted(session: FakeSession, cli: Cli) -> None:
    result = cli("destroy", "--target", "aws", "--images", session=session, answer="n\n")
    assert result.exit_code == 1
    assert all(what in result.stderr for what in ("scones-vehicles", "every object in data", "ECR"))
    assert session.in_order(*DELETIONS) == []


def test_endpoint_stack_logs_and_images_are_deleted_in_that_order(session: FakeSession, cli: Cli) -> None:
    result = cli("destroy", "--target", "aws", "--images", "--yes", "--json", session=session)
    assert result.exit_code == 0, result.output
    assert session.in_order(*DELETIONS) == list(DELETIONS)
    deleted = set(json.loads(result.stdout)["deleted"])
    assert {"scones-vehicles", "scones", "/aws/lambda/f", "/aws/sagemaker/Endpoints/scones-vehicles"} <= deleted
    assert {"scones/serialize", "scones/classify", "scones/filter", "scones/inference"} <= deleted


def test_container_images_remain_without_the_option_and_the_command_says_so(session: FakeSession, cli: Cli) -> None:
    result = cli("destroy", "--target", "aws", "--yes", session=session)
    assert "ecr.batch_delete_image" not in session.requests
    assert "--images" in result.stderr


def test_an_interrupted_destroy_can_be_completed(cli: Cli) -> None:
    session = session_of(CloudFormation(exists=False), SageMaker())
    assert cli("destroy", "--target", "aws", "--images", "--yes", session=session).exit_code == 0
    assert session.in_order(*DELETIONS)[-2:] == ["logs.delete_log_group", "ecr.batch_delete_image"]
    assert "cloudformation.delete_stack" not in session.requests


def test_without_a_stack_it_is_a_named_error(cli: Cli) -> None:
    session = session_of(CloudFormation(exists=False), SageMaker())
    assert isinstance(cli("destroy", session=session).exception, StackNotFound)


def test_the_bootstrap_stack_goes_with_everything_in_it_where_that_is_asked_for(session: FakeSession, cli: Cli) -> None:
    result = cli("destroy", "--target", "aws", "--bootstrap", "--yes", "--json", session=session)
    assert result.exit_code == 0, (result.output, result.exception)
    assert session.sent["cloudformation.delete_stack"] == {"StackName": "scones-bootstrap"}
    assert "scones-bootstrap" in json.loads(result.stdout)["deleted"]


def test_labels_of_reviewed_images_are_mentioned_before_they_are_deleted(session: FakeSession, cli: Cli) -> None:
    session.client("s3").put_object(Bucket="data", Key="datasets/reviewed/train.lst", Body=b"0\t0\ta.png\n")
    assert "labels of reviewed images" in cli("destroy", "--target", "aws", session=session, answer="n\n").stderr


def test_a_protected_stack_loses_no_object(cli: Cli) -> None:
    cloudformation = CloudFormation()
    cloudformation.protected = True
    session = FakeSession(cloudformation=cloudformation, s3=S3(**{"data/labels/a.json": b"{}"}))
    result = cli("destroy", "--yes", session=session)
    assert isinstance(result.exception, StackProtected)
    assert "s3.delete_objects" not in session.requests
