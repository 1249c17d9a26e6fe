"""Each role of the stack allows what is called with it in a local end-to-end run, and no more.

An action or resource that the run does not need is listed below with the reason for which the role has it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.moto.proxy import Call
from tests.permissions.iam_requests import Request, action, requests
from tests.permissions.local_calls import DEPLOYMENT, ELSEWHERE, OPERATOR, OTHERS, TEST, recorded
from tests.permissions.policies import Where, stacks
from tests.permissions.reasons import not_listed
from tests.permissions.simulation import Simulated, simulated

pytestmark = pytest.mark.moto
WHERE = Where("000000000000", "us-east-1")
STACK, BOOTSTRAP = stacks(WHERE, EndpointName="scones-vehicles", ImageBucket=ELSEWHERE)
ARTIFACTS = {"ArtifactBucket.Arn": "arn:aws:s3:::scones-artifacts"}  # the local environment has no bootstrap stack

_TRACES = {"xray:*": "no emulator receives traces"}
_LOG_DELIVERY = {"logs:*": "Step Functions delivers logs by these; LocalStack delivers none"}
_PULLED = {"ecr:*": "SageMaker pulls the container image; the emulator runs a process"}
_STREAMS = {"logs:DescribeLogStreams": "SageMaker's documentation requires it; the emulator knows its own streams"}
NOT_CALLED: Mapping[str, Mapping[str, str]] = {
    "SerializeRole": {**_TRACES, "s3:ListBucket": "with it S3 returns 404, not 403, for an image that does not exist"},
    "ClassifyRole": _TRACES,
    "FilterRole": _TRACES,
    "ClassifyImageRole": {**_TRACES, **_LOG_DELIVERY},
    "ClassifyBatchRole": {
        **_TRACES,
        **_LOG_DELIVERY,
        "states:DescribeExecution": "a Distributed Map's items are executions on AWS; in LocalStack they are threads",
        "states:StartExecution": "as above",
        "states:StopExecution": "as above, for a batch that is stopped",
        "s3:AbortMultipartUpload": "results of gigabytes are uploaded in parts",
        "s3:ListMultipartUploadParts": "as above",
    },
    "EndpointRole": {
        **_PULLED,
        **_STREAMS,
        "cloudwatch:PutMetricData": "SageMaker's documentation requires it; the emulator publishes no metrics",
        "s3:ListBucket": "SageMaker's documentation requires it; the emulator reads the model's one key",
        "*/Endpoints/scones-vehicles-rehearsal:*": "`scones rehearse` deploys this endpoint, in tests/journeys",
    },
    "TrainingRole": {**_PULLED, **_STREAMS},
    "EndpointDeletionRole": {
        "application-autoscaling:DeregisterScalableTarget": "SageMaker calls it on AWS, in its caller's name",
        "sqs:SendMessage": "EventBridge Scheduler sends a deletion that failed for an hour",
        "*endpoint/scones-vehicles-rehearsal": "`scones rehearse` deploys this endpoint, in tests/journeys",
    },
    "IncomingRole": {},
}
# What LocalStack or the local target does and AWS does not.
_GROUP = {"logs:CreateLogGroup": "LocalStack creates a group at every invocation; the template has created it"}
LOCAL_ONLY: Mapping[str, Mapping[str, str]] = {
    "SerializeRole": _GROUP,
    "ClassifyRole": _GROUP,
    "FilterRole": _GROUP,
    OPERATOR: {
        "s3:CreateBucket": "the local target has no bootstrap stack",
        "s3:ListAllMyBuckets": "as above",
        f"arn:aws:s3:::{ELSEWHERE}*": "the owner of another bucket lets the operator read it",
    },
}


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Mapping[str, list[Call]]:
    return recorded(tmp_path_factory.mktemp("recorded"), cache)


def by_schedule(calls: list[Call]) -> Iterator[Call]:
    """What schedules that were created call; the end of the endpoint shows that one did."""
    for call in calls:
        if call.name == "scheduler:CreateSchedule":
            _, service, operation = call.members["Target"]["Arn"].rsplit(":", 2)
            yield Call(service, operation[0].upper() + operation[1:], json.loads(call.members["Target"]["Input"]))


@pytest.fixture(scope="module")
def results(calls: Mapping[str, list[Call]]) -> dict[str, Simulated]:
    made = {**calls, "EndpointDeletionRole": list(by_schedule(calls[OPERATOR]))}
    asked: dict[str, set[Request]] = {
        name: {each for call in made.get(name, []) for each in requests(call, WHERE)}
        for name in (*STACK.principals(), OPERATOR, DEPLOYMENT)
    }
    by_bootstrap = {name: asked.pop(name) for name in (OPERATOR, DEPLOYMENT)}
    return simulated(STACK, asked) | simulated(replace(BOOTSTRAP, values=ARTIFACTS), by_bootstrap)


def test_every_role_of_the_stack_is_simulated() -> None:
    assert set(NOT_CALLED) == set(STACK.principals())


def test_every_caller_is_a_role_or_known(calls: Mapping[str, list[Call]]) -> None:
    """LocalStack's own calls are those that alarms and a template's URL need."""
    assert set(calls) == {*NOT_CALLED, OPERATOR, DEPLOYMENT, OTHERS, TEST} - {"EndpointDeletionRole"}
    alarms = {f"cloudwatch:{name}" for name in ("DescribeAlarms", "GetMetricData", "PutMetricData", "SetAlarmState")}
    assert {action(call) for call in calls[OTHERS]} <= {*alarms, "s3:GetObject", "sts:AssumeRole"}


@pytest.mark.parametrize("role", [*NOT_CALLED, OPERATOR, DEPLOYMENT])
def test_everything_that_is_called_is_allowed(role: str, results: dict[str, Simulated]) -> None:
    refused = {f"{each.action} {each.resource}": verdict for each, verdict in results[role].refused.items()}
    remaining, unused = not_listed(refused, LOCAL_ONLY.get(role, {}))
    assert (remaining, unused) == ([], [])


@pytest.mark.parametrize("role", NOT_CALLED)
def test_everything_that_is_allowed_is_called_or_has_a_reason(role: str, results: dict[str, Simulated]) -> None:
    remaining, unused = not_listed([*results[role].unused_actions, *results[role].unused_resources], NOT_CALLED[role])
    assert (remaining, unused) == ([], [])
