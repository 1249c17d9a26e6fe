"""Every way that a state can fail leads to exactly one place, in the real Step Functions interpreter of LocalStack."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from orchestration.executions import S3Image, execution_name, wait
from tests.contracts.test_named_errors import STATES, definition, raised_by
from tests.integration.conftest import Running

pytestmark = pytest.mark.integration

REVIEWED = "ThresholdConfidenceNotMet"


def retried(service: str) -> set[str]:
    return {name for retrier in definition()[STATES[service]]["Retry"] for name in retrier["ErrorEquals"]}


def skipped(service: str) -> set[str]:
    catchers = definition()[STATES[service]].get("Catch", ())
    return {name for each in catchers if each["Next"] == "Skipped" for name in each["ErrorEquals"]}


FAILURES = [
    (service, error) for service in STATES for error in sorted(raised_by(service) - retried(service) - skipped(service))
]


def execute(running: Running, payload: Any) -> dict[str, Any]:
    """Run one execution to its end; what it sent to the queues is found by its ARN."""
    client = running.client("stepfunctions")
    arn = client.start_execution(
        stateMachineArn=running.outputs["StateMachineArn"], name=str(uuid4()), input=json.dumps(payload)
    )["executionArn"]
    (outcome,) = wait(client, {arn: S3Image("", "")})
    return {
        "arn": arn,
        "status": outcome.status,
        "error": outcome.error,
        "output": outcome.output,
        "cause": outcome.message,
    }


def messages(running: Running, output: str) -> list[dict[str, Any]]:
    """Take every message out of a queue into the running stack's mailbox and return all that were ever there."""
    sqs, url = running.client("sqs"), running.outputs[output]
    box = running.mailbox.setdefault(output, [])
    while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in batch:
            box.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return box


def by_arn(running: Running, output: str, arn: str) -> list[dict[str, Any]]:
    return [message for message in messages(running, output) if message["execution_arn"] == arn]


def image(key: str) -> dict[str, str]:
    return {"s3_bucket": "bucket", "s3_key": key}


def test_a_confident_image_succeeds_with_exactly_the_documented_fields(scripted: Running) -> None:
    outcome = execute(scripted, image("good.png"))
    assert outcome["status"] == "SUCCEEDED"
    assert set(outcome["output"]) == {"s3_bucket", "s3_key", "label", "confidence", "threshold", "inferences"}


@pytest.fixture(scope="module")
def failed(scripted: Running) -> dict[tuple[str, str], dict[str, Any]]:
    """One execution for each named error of each service, all at once."""
    with ThreadPoolExecutor(8) as pool:
        outcomes = pool.map(lambda pair: execute(scripted, image(f"{pair[0]},{pair[1]},always")), FAILURES)
        return dict(zip(FAILURES, outcomes, strict=True))


@pytest.fixture(scope="module")
def queued(scripted: Running, failed: dict[tuple[str, str], Any]) -> dict[str, list[dict[str, Any]]]:
    return {queue: list(messages(scripted, queue)) for queue in ("ReviewQueueUrl", "FailureQueueUrl")}


@pytest.mark.parametrize(("service", "error"), FAILURES)
def test_a_named_error_ends_under_its_own_name_with_one_message_in_one_queue(
    service: str, error: str, failed: dict[tuple[str, str], Any], queued: dict[str, list[dict[str, Any]]]
) -> None:
    outcome = failed[service, error]
    assert (outcome["status"], outcome["error"]) == ("FAILED", error)
    assert outcome["cause"] == f"scripted for {service},{error},always"
    here = {queue: [m for m in result if m["execution_arn"] == outcome["arn"]] for queue, result in queued.items()}
    right, other = ("ReviewQueueUrl", "FailureQueueUrl") if error == REVIEWED else ("FailureQueueUrl", "ReviewQueueUrl")
    assert (len(here[right]), len(here[other])) == (1, 0)
    assert here[right][0]["error"] == error


def test_a_key_that_names_no_image_is_skipped_without_a_message(scripted: Running) -> None:
    outcome = execute(scripted, image("serialize,NotAnImage,always"))
    assert outcome["status"] == "SUCCEEDED"
    assert outcome["output"]["Error"] == "NotAnImage"
    assert [by_arn(scripted, queue, outcome["arn"]) for queue in ("ReviewQueueUrl", "FailureQueueUrl")] == [[], []]


def test_a_failure_carries_the_executions_input_so_that_it_can_be_started_again(
    failed: dict[tuple[str, str], Any], queued: dict[str, list[dict[str, Any]]]
) -> None:
    arn = failed["classify", "EndpointNotFound"]["arn"]
    (message,) = [m for m in queued["FailureQueueUrl"] if m["execution_arn"] == arn]
    assert message["input"] == image("classify,EndpointNotFound,always")


def test_a_review_message_has_the_image_and_its_inferences(
    failed: dict[tuple[str, str], Any], queued: dict[str, list[dict[str, Any]]]
) -> None:
    arn = failed["filter", REVIEWED]["arn"]
    (message,) = [m for m in queued["ReviewQueueUrl"] if m["execution_arn"] == arn]
    assert message["s3_key"] == f"filter,{REVIEWED},always"
    assert (message["inferences"], message["probably_neither"]) == ([0.01, 0.99], False)


@pytest.mark.parametrize(
    ("service", "error"), [("serialize", "StorageUnavailable"), ("classify", "EndpointUnavailable")]
)
def test_a_passing_trouble_is_retried_until_it_has_passed(service: str, error: str, scripted: Running) -> None:
    outcome = execute(scripted, image(f"{service},{error},2"))
    assert outcome["status"] == "SUCCEEDED"


def test_an_idle_function_that_lambda_provisions_again_is_waited_for(scripted: Running) -> None:
    outcome = execute(scripted, image("serialize,Lambda.CodeArtifactUserPendingException,1"))
    assert outcome["status"] == "SUCCEEDED"


def test_an_error_without_a_name_of_ours_is_not_lost(scripted: Running) -> None:
    outcome = execute(scripted, image("classify,KeyError,always"))
    assert (outcome["status"], outcome["error"]) == ("FAILED", "KeyError")
    assert len(by_arn(scripted, "FailureQueueUrl", outcome["arn"])) == 1


@pytest.mark.parametrize("payload", [[], "text", 7, None, {}], ids=["list", "text", "number", "null", "empty"])
def test_an_input_of_the_wrong_shape_ends_in_the_failure_queue(payload: Any, scripted: Running) -> None:
    outcome = execute(scripted, payload)
    assert outcome["status"] == "FAILED"
    assert [m["input"] for m in by_arn(scripted, "FailureQueueUrl", outcome["arn"])] == [payload]


def test_an_input_too_large_to_travel_in_a_message_still_leaves_one_message(scripted: Running) -> None:
    payload = {"s3_bucket": "bucket", "s3_key": "serialize,InvalidInput,always", "junk": "x" * (255 * 1024)}
    outcome = execute(scripted, payload)
    assert (outcome["status"], outcome["error"]) == ("FAILED", "InvalidInput")
    (message,) = by_arn(scripted, "FailureQueueUrl", outcome["arn"])
    assert message["execution_arn"] == outcome["arn"]


def test_the_same_work_is_not_started_twice_under_one_name(scripted: Running) -> None:
    client = scripted.client("stepfunctions")
    name = execution_name(S3Image("bucket", "twice.png"), uuid4().hex[:8])
    request = {
        "stateMachineArn": scripted.outputs["StateMachineArn"],
        "name": name,
        "input": json.dumps(image("twice.png")),
    }
    arn = client.start_execution(**request)["executionArn"]
    try:  # while the first execution runs, a second start returns it; once it has ended, the name is refused
        assert client.start_execution(**request)["executionArn"] == arn
    except client.exceptions.ExecutionAlreadyExists as refusal:
        assert arn in str(refusal)  # noqa: PT017 - either outcome is right, depending on which is faster
