"""Each option of `scones train` reaches CreateTrainingJob."""

import json
import re
from typing import Any

import pytest

from tests.scones.conftest import Cli
from tests.scones.fake_cloudformation import CloudFormation
from tests.scones.fake_session import FakeSession
from tests.scones.fakes import S3, SageMaker
from training.errors import UnknownRecipe

LST = b"0\t0\ta.png\n1\t1\tb.png\n"


@pytest.fixture
def session() -> FakeSession:
    objects = {"data/datasets/cifar100/train.lst": LST, "data/datasets/cifar100/test.lst": LST}
    return FakeSession(cloudformation=CloudFormation(), s3=S3(**objects), sagemaker=SageMaker())


def submitted(session: FakeSession, cli: Cli, *words: str) -> dict[str, Any]:
    result = cli("train", "--recipe", "builtin-small", "--no-wait", *words, session=session)
    assert result.exit_code == 0, (result.output, result.exception)
    return session.sent["sagemaker.create_training_job"]


def test_a_job_is_submitted_on_the_staged_dataset_and_its_name_printed(session: FakeSession, cli: Cli) -> None:
    result = cli("train", "--recipe", "builtin-small", "--no-wait", "--json", session=session)
    request = session.sent["sagemaker.create_training_job"]
    assert json.loads(result.stdout) == {"job": request["TrainingJobName"]}
    channels = {each["ChannelName"]: each["DataSource"]["S3DataSource"]["S3Uri"] for each in request["InputDataConfig"]}
    assert channels["train"] == "s3://data/datasets/cifar100/train/"
    assert request["RoleArn"].endswith("role/training")
    assert request["HyperParameters"]["num_training_samples"] == "2"


def test_an_unknown_recipe_is_refused_before_anything_is_requested(session: FakeSession, cli: Cli) -> None:
    assert isinstance(cli("train", "--recipe", "deeper", session=session).exception, UnknownRecipe)
    assert session.requests.total() == 0


def test_a_long_stack_name_still_makes_a_job_name(session: FakeSession, cli: Cli) -> None:
    name = submitted(session, cli, "--stack", "s" * 35)["TrainingJobName"]
    assert re.fullmatch(r"s+-builtin-small-\d{8}-\d{6}", name)
    assert len(name) == 63


def test_spot_training_waits_for_capacity(session: FakeSession, cli: Cli) -> None:
    request = submitted(session, cli, "--spot")
    assert request["EnableManagedSpotTraining"] is True
    condition = request["StoppingCondition"]
    assert condition["MaxWaitTimeInSeconds"] > condition["MaxRuntimeInSeconds"]


def test_a_kms_key_encrypts_volume_and_output(session: FakeSession, cli: Cli) -> None:
    request = submitted(session, cli, "--kms-key", "alias/scones", "--instance-type", "ml.p3.2xlarge")
    assert request["OutputDataConfig"]["KmsKeyId"] == request["ResourceConfig"]["VolumeKmsKeyId"] == "alias/scones"


def test_a_kms_key_is_left_to_the_output_where_the_instance_has_nvme(session: FakeSession, cli: Cli) -> None:
    request = submitted(session, cli, "--kms-key", "alias/scones", "--instance-type", "ml.g5.xlarge")
    assert request["OutputDataConfig"]["KmsKeyId"] == "alias/scones"
    assert "VolumeKmsKeyId" not in request["ResourceConfig"]


def test_a_subnet_and_a_security_group_make_a_vpc(session: FakeSession, cli: Cli) -> None:
    request = submitted(session, cli, "--subnet", "subnet-1", "--security-group", "sg-1")
    assert request["VpcConfig"] == {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}


def test_a_subnet_alone_is_a_usage_error(session: FakeSession, cli: Cli) -> None:
    result = cli("train", "--subnet", "subnet-1", session=session)
    assert (result.exit_code, "--security-group" in result.stderr) == (2, True)


def test_epochs_and_hyperparameters_win_over_the_recipe(session: FakeSession, cli: Cli) -> None:
    request = submitted(session, cli, "--epochs", "3", "--hyperparameter", "learning_rate=0.01")
    values = request["HyperParameters"]
    assert (values["epochs"], values["learning_rate"]) == ("3", "0.01")


def reviewed_channels(session: FakeSession, cli: Cli) -> dict[str, str]:
    result = cli("train", "--with-reviewed", "--no-wait", session=session)
    assert result.exit_code == 0, (result.output, result.exception)
    channels = session.sent["sagemaker.create_training_job"]["InputDataConfig"]
    return {each["ChannelName"]: each["DataSource"]["S3DataSource"]["S3Uri"] for each in channels}


def session_with(*names: str) -> FakeSession:
    objects = {f"data/datasets/{name}": LST for name in names}
    return FakeSession(cloudformation=CloudFormation(), s3=S3(**objects), sagemaker=SageMaker())


def test_reviewed_labels_are_two_more_channels(cli: Cli) -> None:
    channels = reviewed_channels(session_with("cifar100/train.lst", "cifar100/test.lst", "reviewed/train.lst"), cli)
    assert channels["train"] == "s3://data/datasets/cifar100/train/"
    assert channels["reviewed"] == "s3://data/datasets/reviewed/train/"
    assert channels["reviewed_lst"] == "s3://data/datasets/reviewed/train.lst"


def test_reviewed_images_are_not_taken_for_the_staged_dataset(cli: Cli) -> None:
    session = session_with("reviewed/train.lst", "synthetic-vehicles/train.lst", "synthetic-vehicles/test.lst")
    assert reviewed_channels(session, cli)["train"] == "s3://data/datasets/synthetic-vehicles/train/"


def test_training_with_reviewed_labels_needs_some(session: FakeSession, cli: Cli) -> None:
    result = cli("train", "--with-reviewed", "--no-wait", session=session)
    assert result.exit_code == 1
    assert "s3://data/datasets/reviewed/train.lst lists no reviewed image" in str(result.exception)
    assert "sagemaker.create_training_job" not in session.requests


def test_the_built_in_algorithm_takes_no_reviewed_labels(session: FakeSession, cli: Cli) -> None:
    result = cli("train", "--with-reviewed", "--recipe", "builtin", session=session)
    assert (result.exit_code, "use vehicle-net" in result.stderr) == (2, True)


def test_the_stack_is_described_once(session: FakeSession, cli: Cli) -> None:
    submitted(session, cli)
    assert session.requests["cloudformation.describe_stacks"] == 1


def test_a_model_is_served_only_after_the_job_that_trains_it(session: FakeSession, cli: Cli) -> None:
    result = cli("train", "--deploy", "--no-wait", session=session)
    assert result.exit_code == 2
    assert "--deploy waits for the job: omit --no-wait" in result.stderr
    assert "sagemaker.create_training_job" not in session.requests
