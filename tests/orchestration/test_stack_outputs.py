from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from orchestration.errors import OutputMissing, StackNotFound
from orchestration.stack_outputs import describe_stack, output_values, read_stack_outputs

OUTPUTS = {
    "StateMachineArn": "arn:aws:states:eu-west-1:000000000000:stateMachine:scones",
    "BatchStateMachineArn": "arn:aws:states:eu-west-1:000000000000:stateMachine:scones-batch",
    "DataBucket": "scones-data",
    "ReviewQueueUrl": "https://sqs/review",
    "FailureQueueUrl": "https://sqs/failure",
    "EndpointName": "scones",
    "EndpointRoleArn": "arn:aws:iam::000000000000:role/endpoint",
    "Threshold": "0.9",
    "Labels": "apple,orange",
}


@pytest.fixture
def cloudformation() -> Any:
    return boto3.client("cloudformation", "eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")


@pytest.fixture
def stubber(cloudformation: Any) -> Iterator[Stubber]:
    with Stubber(cloudformation) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def add_stack(stubber: Stubber, status: str = "UPDATE_COMPLETE") -> None:
    stack = {
        "StackName": "scones",
        "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
        "StackStatus": status,
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in OUTPUTS.items()],
        "Tags": [{"Key": "team", "Value": "delivery"}],
    }
    stubber.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "scones"})


def test_the_outputs_of_a_stack_are_read_with_its_tags_and_one_of_its_name(
    cloudformation: Any, stubber: Stubber
) -> None:
    add_stack(stubber)
    outputs = read_stack_outputs(cloudformation, "scones")
    assert (outputs.data_bucket, outputs.threshold, outputs.labels) == ("scones-data", 0.9, ("apple", "orange"))
    assert outputs.tags == {"team": "delivery", "scones:stack": "scones"}
    assert outputs.require_role("EndpointRoleArn") == outputs.endpoint_role_arn
    with pytest.raises(OutputMissing, match="no output TrainingRoleArn: update it with `scones deploy`"):
        outputs.require_role("TrainingRoleArn")


def test_the_outputs_of_any_stack_are_read_by_name(cloudformation: Any, stubber: Stubber) -> None:
    add_stack(stubber)
    assert output_values(cloudformation, "scones") == OUTPUTS


def test_a_stack_that_does_not_exist_is_refused_with_the_command_that_creates_it(
    cloudformation: Any, stubber: Stubber
) -> None:
    stubber.add_client_error("describe_stacks", "ValidationError", "Stack with id scones does not exist")
    with pytest.raises(StackNotFound, match="'scones' is deployed in eu-west-1: run `scones deploy` first"):
        read_stack_outputs(cloudformation, "scones")


def test_a_deleted_stack_does_not_exist(cloudformation: Any, stubber: Stubber) -> None:
    add_stack(stubber, "DELETE_COMPLETE")
    assert describe_stack(cloudformation, "scones") is None
