"""The errors that a service can raise and those that its state catches by name are the same."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from orchestration.generate_definitions import CLASSIFY_IMAGE

ROOT = Path(__file__).parents[2]
STATES = {"serialize": "SerializeImageData", "classify": "ClassifyImageData", "filter": "FilterInferences"}


def definition() -> dict[str, Any]:
    states: dict[str, Any] = json.loads(CLASSIFY_IMAGE.read_text("utf-8"))["States"]
    return states


def raised_by(service: str) -> set[str]:
    """The leaves of the service's error tree: Step Functions matches the class's own name, never a base class's."""
    classes = [
        n
        for n in ast.parse((ROOT / "services" / service / "errors.py").read_text()).body
        if isinstance(n, ast.ClassDef)
    ]
    bases = {base.id for node in classes for base in node.bases if isinstance(base, ast.Name)}
    return {node.name for node in classes} - bases


def caught_in(state: str) -> set[str]:
    catchers = definition()[state]["Catch"]
    return {name for catcher in catchers for name in catcher["ErrorEquals"] if not name.startswith("States.")}


@pytest.mark.parametrize("service", STATES)
def test_a_state_catches_by_name_exactly_what_its_service_raises(service: str) -> None:
    assert caught_in(STATES[service]) == raised_by(service)


@pytest.mark.parametrize("service", STATES)
def test_a_state_retries_only_errors_that_exist(service: str) -> None:
    retried = {name for retrier in definition()[STATES[service]]["Retry"] for name in retrier["ErrorEquals"]}
    own = {name for name in retried if "." not in name}
    assert own <= raised_by(service)


@pytest.mark.parametrize("service", STATES)
def test_a_state_retries_what_aws_recommends_for_lambda(service: str) -> None:
    # https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html
    retried = {name for retrier in definition()[STATES[service]]["Retry"] for name in retrier["ErrorEquals"]}
    assert retried >= {
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
    }


@pytest.mark.parametrize("service", STATES)
def test_whatever_has_no_name_of_ours_is_caught_as_well(service: str) -> None:
    catchers = definition()[STATES[service]]["Catch"]
    assert catchers[-1]["ErrorEquals"] == ["States.ALL"]
    # States.ALL does not match it: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    assert any("States.DataLimitExceeded" in catcher["ErrorEquals"] for catcher in catchers)


# How long an idle function was seen to refuse its first invocations while Lambda provisions it again.
LONGEST_PROVISIONING_SECONDS = 106
# What passes by itself, in the words of Lambda's own model: a function that was idle, or is being updated.
PASSING = {
    "Lambda.CodeArtifactUserPendingException",
    "Lambda.CodeArtifactUserDeletedException",
    "Lambda.ResourceNotReadyException",
    "Lambda.ResourceConflictException",
}


def passing(service: str) -> dict[str, Any]:
    (retrier,) = [each for each in definition()[STATES[service]]["Retry"] if set(each["ErrorEquals"]) >= PASSING]
    return dict(retrier)


@pytest.mark.parametrize("service", STATES)
def test_an_idle_function_is_waited_for_until_lambda_has_provisioned_it(service: str) -> None:
    retrier = passing(service)
    delays = [retrier["IntervalSeconds"] * retrier["BackoffRate"] ** n for n in range(retrier["MaxAttempts"])]
    assert "JitterStrategy" not in retrier  # which would halve the delays on average
    assert "MaxDelaySeconds" not in retrier
    assert sum(delays) > LONGEST_PROVISIONING_SECONDS


@pytest.mark.parametrize("service", STATES)
def test_every_lambda_error_that_is_retried_is_one_of_lambda_s(service: str) -> None:
    shapes = Session().get_service_model("lambda").operation_model("Invoke").error_shapes
    raised = {f"Lambda.{shape.name}" for shape in shapes}
    # What Step Functions itself raises: https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html
    own = {"ClientExecutionTimeoutException", "AWSLambdaException", "SdkClientException", "Unknown"}
    retried = {name for retrier in definition()[STATES[service]]["Retry"] for name in retrier["ErrorEquals"]}
    assert {name for name in retried if name.startswith("Lambda.")} <= raised | {f"Lambda.{name}" for name in own}
