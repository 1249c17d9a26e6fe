import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from orchestration.errors import ExecutionNotFound, HistoryUnavailable
from orchestration.history import describe, history, visits

START = datetime(2026, 3, 1, tzinfo=UTC)
ARN = "arn:aws:states:us-east-1:123456789012:execution:machine:name"
WRAPPED = json.dumps({"errorMessage": "no such key", "errorType": "ImageNotFound"})


def event(number: int, before: int, kind: str, **details: dict[str, Any]) -> dict[str, Any]:
    at = START + timedelta(milliseconds=100 * number)
    return {"id": number, "previousEventId": before, "timestamp": at, "type": kind, **details}


def entered(number: int, before: int, name: str, text: str = "{}") -> dict[str, Any]:
    details = {"name": name, "input": text}
    return event(number, before, "TaskStateEntered", stateEnteredEventDetails=details)


def exited(number: int, before: int, name: str, text: str = "{}") -> dict[str, Any]:
    return event(number, before, "TaskStateExited", stateExitedEventDetails={"name": name, "output": text})


def failed(number: int, before: int, error: str) -> dict[str, Any]:
    details = {"resourceType": "lambda", "resource": "invoke", "error": error, "cause": WRAPPED}
    return event(number, before, "TaskFailed", taskFailedEventDetails=details)


def test_a_visit_has_its_time_and_the_sizes_of_what_went_in_and_out_in_bytes() -> None:
    (visit,) = visits([entered(1, 0, "A", '"é"'), event(2, 1, "TaskSucceeded"), exited(3, 2, "A", "[]")])
    assert (visit.name, visit.milliseconds, visit.input_bytes, visit.output_bytes) == ("A", 200.0, 4, 2)
    assert (visit.retries, visit.error) == (0, None)


def test_an_error_that_a_retry_overcame_is_told_as_such_and_not_as_the_end() -> None:
    (visit,) = visits([
        entered(1, 0, "A"), event(2, 1, "TaskScheduled"), failed(3, 2, "EndpointUnavailable"),
        event(4, 3, "TaskScheduled"), event(5, 4, "TaskSucceeded"), exited(6, 5, "A"),
    ])  # fmt: skip
    assert (visit.retries, visit.retried, visit.error) == (1, ("EndpointUnavailable",), None)


def test_an_error_that_was_caught_ends_its_state_though_the_state_has_an_output() -> None:
    (visit, after) = visits([
        entered(1, 0, "A"), event(2, 1, "TaskScheduled"), failed(3, 2, "X"), event(4, 3, "TaskScheduled"),
        failed(5, 4, "ImageNotFound"), exited(6, 5, "A"), entered(7, 6, "B"),
    ])  # fmt: skip
    assert (visit.error, visit.message, visit.retried) == ("ImageNotFound", "no such key", ("X",))
    assert (after.milliseconds, after.output_bytes, after.error) == (None, None, None)


def test_a_fail_state_carries_the_executions_error() -> None:
    ended = event(2, 1, "ExecutionFailed", executionFailedEventDetails={"error": "E", "cause": "c"})
    (visit,) = visits([entered(1, 0, "F"), ended])
    assert (visit.error, visit.cause, visit.milliseconds) == ("E", "c", 100.0)


def test_events_of_iterations_that_run_at_once_go_to_their_own_visit() -> None:
    first, second = visits([
        entered(1, 0, "A"), entered(2, 0, "A"), failed(3, 1, "X"), event(4, 2, "TaskSucceeded"),
        exited(5, 4, "A"), exited(6, 3, "A"),
    ])  # fmt: skip
    assert (first.error, second.error) == ("X", None)
    assert (first.milliseconds, second.milliseconds) == (500.0, 300.0)


def stub() -> tuple[Any, Stubber]:
    client = boto3.client("stepfunctions", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    return client, Stubber(client)


def test_the_history_is_read_page_by_page() -> None:
    client, stubber = stub()
    stubber.add_response("get_execution_history", {"events": [entered(1, 0, "A")], "nextToken": "more"})
    stubber.add_response("get_execution_history", {"events": [exited(2, 1, "A")]})
    with stubber:
        (visit,) = history(client, ARN)
    assert visit.milliseconds == 100.0


@pytest.mark.parametrize("call", [describe, history])
@pytest.mark.parametrize("code", ["ExecutionDoesNotExist", "InvalidArn"])
def test_an_execution_that_is_not_there_is_named(call: Any, code: str) -> None:
    client, stubber = stub()
    operation = "describe_execution" if call is describe else "get_execution_history"
    stubber.add_client_error(operation, code)
    with stubber, pytest.raises(ExecutionNotFound, match="machine:name"):
        call(client, ARN)


def test_an_express_execution_has_no_history_to_ask_for() -> None:
    with pytest.raises(HistoryUnavailable, match="CloudWatch"):
        history(stub()[0], ARN.replace(":execution:", ":express:") + ":id")
