"""The policies of queues, topic, repositories and roles admit the service that they are for, and no other use of it."""

import pytest

from tests.permissions.iam_requests import Request
from tests.permissions.policies import Where, stacks
from tests.permissions.simulation import verdict_of_resource

pytestmark = pytest.mark.moto
WHERE = Where("123456789012", "eu-central-1")
STACK, BOOTSTRAP = stacks(WHERE)
RULE = {"aws:SourceArn": WHERE.arn("events", "rule/scones-incoming")}
OWN, OTHER = {"aws:SourceAccount": WHERE.account}, {"aws:SourceAccount": "210987654321"}
FUNCTION = {"aws:SourceArn": WHERE.arn("lambda", "function:scones-filter")}
QUEUE, TOPIC = WHERE.arn("sqs", "scones-dead-letter"), WHERE.arn("sns", "scones-alarms")
REPOSITORY = WHERE.arn("ecr", "repository/scones/filter")
EVENTS, ALARMS, LAMBDA = "events.amazonaws.com", "cloudwatch.amazonaws.com", "lambda.amazonaws.com"
ADMITTED = [
    ("QueuePolicy", EVENTS, "sqs:SendMessage", QUEUE, RULE),
    ("AlarmTopicPolicy", ALARMS, "sns:Publish", TOPIC, OWN),
    ("FilterRepository", LAMBDA, "ecr:BatchGetImage", REPOSITORY, FUNCTION),
    ("IncomingRole", EVENTS, "sts:AssumeRole", WHERE.arn("iam", "role/r"), OWN),
    ("EndpointDeletionRole", "scheduler.amazonaws.com", "sts:AssumeRole", WHERE.arn("iam", "role/r"), OWN),
    ("ClassifyImageRole", "states.amazonaws.com", "sts:AssumeRole", WHERE.arn("iam", "role/r"), OWN),
    ("FilterRole", LAMBDA, "sts:AssumeRole", WHERE.arn("iam", "role/r"), {}),
    ("EndpointRole", "sagemaker.amazonaws.com", "sts:AssumeRole", WHERE.arn("iam", "role/r"), {}),
    ("DeploymentRole", "cloudformation.amazonaws.com", "sts:AssumeRole", WHERE.arn("iam", "role/r"), OWN),
]
REFUSED = {
    "another rule": ("QueuePolicy", EVENTS, "sqs:SendMessage", QUEUE, {"aws:SourceArn": f"{RULE['aws:SourceArn']}2"}),
    "another queue": ("QueuePolicy", EVENTS, "sqs:SendMessage", WHERE.arn("sqs", "scones-review"), RULE),
    "another service": ("QueuePolicy", ALARMS, "sqs:SendMessage", QUEUE, RULE),
    "alarms of another account": ("AlarmTopicPolicy", ALARMS, "sns:Publish", TOPIC, OTHER),
    "a push by Lambda": ("FilterRepository", LAMBDA, "ecr:PutImage", REPOSITORY, FUNCTION),
    "no function": ("FilterRepository", LAMBDA, "ecr:BatchGetImage", REPOSITORY, RULE),
    "events of another account": ("IncomingRole", EVENTS, "sts:AssumeRole", WHERE.arn("iam", "role/r"), OTHER),
    "another service's role": ("FilterRole", EVENTS, "sts:AssumeRole", WHERE.arn("iam", "role/r"), {}),
}
UNENCRYPTED = {
    "DataBucketPolicy": ("s3:GetObject", f"arn:aws:s3:::scones-data-{WHERE.account}-{WHERE.region}/a.png"),
    "QueuePolicy": ("sqs:ReceiveMessage", WHERE.arn("sqs", "scones-review")),
    "AlarmTopicPolicy": ("sns:Publish", TOPIC),
    "ArtifactBucketPolicy": ("s3:GetObject", f"arn:aws:s3:::scones-artifacts-{WHERE.account}-{WHERE.region}/a"),
}
Case = tuple[str, str, str, str, dict[str, str]]


def verdict(case: Case) -> str:
    resource, principal, action, arn, context = case
    stack = STACK if resource in STACK.resources else BOOTSTRAP
    return verdict_of_resource(stack, resource, principal, Request(action, arn, tuple(context.items())))


@pytest.mark.parametrize("case", ADMITTED, ids=[f"{case[0]} {case[2]}" for case in ADMITTED])
def test_the_service_is_admitted(case: Case) -> None:
    assert verdict(case) == "Allowed"


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_nothing_else_is_admitted(case: Case) -> None:
    assert verdict(case) == "ImplicitlyDenied"


@pytest.mark.parametrize("resource", UNENCRYPTED)
def test_an_unencrypted_connection_is_refused(resource: str) -> None:
    role, (action, arn) = WHERE.arn("iam", "role/principal"), UNENCRYPTED[resource]
    assert verdict((resource, role, action, arn, {"aws:SecureTransport": "false"})) == "ExplicitlyDenied"
