"""A person's way through an account with the real command line: doctor, bootstrap, deploy, ... destroy.

The tests work in one account, one after the other, as the person does.
"""

from collections.abc import Iterator

import pytest

from tests.moto.accounts import ACCOUNT, REGION, Account, account
from tests.moto.leftovers import leftovers

pytestmark = pytest.mark.moto
BUCKET = f"scones-data-{ACCOUNT}-{REGION}"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("account")) as aws:
        yield aws


def test_the_doctor_finds_a_new_account_in_order(aws: Account) -> None:
    verdicts = {each["what"]: each["verdict"] for each in aws.json("doctor", "aws") if each["what"] != "Docker"}
    assert set(verdicts.values()) == {"good"}
    assert {"credentials", "quota: ml.m5.xlarge, endpoint", "quota: concurrent Lambda executions"} <= set(verdicts)


def test_an_account_without_a_bootstrap_stack_gets_one_once(aws: Account) -> None:
    assert aws.json("bootstrap", "--yes")["ArtifactBucket"] == f"scones-artifacts-{ACCOUNT}-{REGION}"
    assert "nothing to change" in aws.scones("bootstrap", "--yes").stderr


def test_a_first_deployment_creates_the_stack_with_images_by_digest(aws: Account) -> None:
    aws.push_images()
    deployed = aws.json("deploy", "--yes", "--tag", "CostCenter=42")
    assert deployed["outputs"]["DataBucket"] == BUCKET
    (stack,) = aws.client("cloudformation").describe_stacks(StackName="scones")["Stacks"]
    assert stack["Tags"] == [{"Key": "CostCenter", "Value": "42"}]
    assert {change["action"] for change in deployed["changes"]} == {"Add"}
    function = aws.client("lambda").get_function(FunctionName="scones-filter")
    assert function["Code"]["ImageUri"] == deployed["images"]["filter"]
    assert "@sha256:" in function["Code"]["ImageUri"]


def test_a_second_deployment_changes_nothing(aws: Account) -> None:
    assert aws.json("deploy", "--yes")["changes"] == []


def test_a_changed_parameter_changes_what_names_it(aws: Account) -> None:
    deployed = aws.json("deploy", "--yes", "--threshold", "0.9")
    assert {change["resource"] for change in deployed["changes"]} >= {"FilterFunction"}
    assert deployed["outputs"]["Threshold"] == "0.9"


def test_a_difference_is_shown_and_not_made(aws: Account) -> None:
    difference = aws.json("deploy", "--diff", "--threshold", "0.8")
    assert difference["parameters"] == {"Threshold": ["0.9", "0.8"]}
    assert (difference["template"], difference["drift"]) == ([], [])
    assert aws.json("deploy", "--yes")["changes"] == []


def test_a_change_that_fails_names_its_reason_and_leaves_the_stack_as_it_was(aws: Account) -> None:
    missing = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/scones/filter@sha256:{'0' * 64}"
    failed = aws.scones("deploy", "--yes", "--parameter", f"FilterImageUri={missing}", code=1)
    assert "UPDATE_ROLLBACK_COMPLETE: FilterFunction (AWS::Lambda::Function): The image with imageId" in failed.stderr
    deployed = aws.json("deploy", "--yes")
    assert (deployed["changes"], deployed["outputs"]["Threshold"]) == ([], "0.9")


def test_a_rollback_returns_to_the_deployment_before(aws: Account) -> None:
    assert aws.json("rollback", "--yes")["Threshold"] == "0.94"
    assert aws.json("rollback", "--yes")["Threshold"] == "0.9"


def test_a_dataset_is_staged_once(aws: Account) -> None:
    staged = aws.json("stage", "--synthetic", "--others", "0")
    assert staged["uploaded"] == staged["train"] + staged["test"] + 2
    assert staged["other"] == 0
    assert aws.json("stage", "--synthetic", "--others", "0")["uploaded"] == 0


def test_a_training_job_runs_on_the_staged_dataset(aws: Account) -> None:
    trained = aws.json("train", "--yes", "--epochs", "1")
    assert trained["status"] == "Completed"
    job = aws.client("sagemaker").describe_training_job(TrainingJobName=trained["job"])
    assert job["HyperParameters"]["epochs"] == "1"
    assert (
        job["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] == f"s3://{BUCKET}/datasets/synthetic/train/"
    )


def test_an_endpoint_gets_its_schedule_and_its_scaling(aws: Account) -> None:
    deployed = aws.json("endpoint", "deploy", "--yes", "--ttl", "4h", "--max", "2")
    assert (deployed["status"], deployed["instances"]) == ("InService", "1 to 2")
    (schedule,) = aws.client("scheduler").list_schedules()["Schedules"]
    assert schedule["Target"]["Arn"] == "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint"
    scaling = aws.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    assert [each["MaxCapacity"] for each in scaling["ScalableTargets"]] == [2]
    assert aws.json("endpoint", "status")["config_name"] == deployed["config_name"]


def test_an_update_replaces_model_and_configuration(aws: Account) -> None:
    other = ("--instance-type", "ml.m5.2xlarge")
    deployed = aws.json("endpoint", "deploy", "--yes", *other)
    configurations = aws.client("sagemaker").list_endpoint_configs()["EndpointConfigs"]
    assert [each["EndpointConfigName"] for each in configurations] == [deployed["config_name"]]
    assert (deployed["deleted_at"], aws.client("scheduler").list_schedules()["Schedules"]) == (None, [])


def test_monitoring_without_captures_is_unknown_and_costs_are_estimated(aws: Account) -> None:
    assert aws.json("monitor", "--publish")["drift"]["verdict"] == "unknown"
    assert aws.json("cost", "--images", "1000")["usd"]["standard"]["total"] > 0


def test_nothing_is_left_after_destroy(aws: Account) -> None:
    """Last: it deletes what the tests above have created."""
    aws.scones("endpoint", "deploy", "--yes", "--ttl", "4h", "--max", "2")
    assert len(leftovers(aws)) > 10
    deleted = aws.json("destroy", "--bootstrap", "--yes")["deleted"]
    assert {"scones", "scones-vehicles", "scones-bootstrap"} <= set(deleted)
    assert leftovers(aws) == {}
