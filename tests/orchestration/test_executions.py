import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.errors import ExecutionTimeout
from orchestration.executions import Image, Outcome, execution_name, queue_length, run, state_input

START = datetime(2026, 3, 1, tzinfo=UTC)


class FakeStepFunctions:
    """Ends each execution after a number of looks; keys that begin with `bad` fail."""

    def __init__(self, looks: int = 2) -> None:
        self.looks = looks
        self.inputs: dict[str, dict[str, str]] = {}
        self.seen: dict[str, int] = {}

    def describe_state_machine(self, stateMachineArn: str) -> dict[str, str]:  # noqa: N803
        return {"type": "STANDARD"}

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> dict[str, str]:  # noqa: A002, N803
        arn = f"{stateMachineArn}:{name}"
        self.inputs[arn] = json.loads(input)
        return {"executionArn": arn}

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        self.seen[executionArn] = self.seen.get(executionArn, 0) + 1
        answer = {"executionArn": executionArn, "startDate": START, "stopDate": START + timedelta(milliseconds=250)}
        if self.seen[executionArn] < self.looks:
            return {**answer, "status": "RUNNING"}
        if self.inputs[executionArn]["s3_key"].startswith("bad"):
            return {**answer, "status": "FAILED", "error": "ImageNotFound", "cause": '{"errorMessage": "no such key"}'}
        return {**answer, "status": "SUCCEEDED", "output": '{"label": "bicycle"}'}


def images(*keys: str) -> list[Image]:
    return [Image("bucket", key) for key in keys]


def test_outcomes_come_back_in_the_order_of_the_images() -> None:
    outcomes = run(FakeStepFunctions(), "arn", images("a.png", "bad.png", "c.png"), run_name="r", poll=0)
    assert [outcome.image.s3_key for outcome in outcomes] == ["a.png", "bad.png", "c.png"]
    assert [outcome.status for outcome in outcomes] == ["SUCCEEDED", "FAILED", "SUCCEEDED"]


def test_the_same_key_given_twice_makes_two_executions() -> None:
    outcomes = run(FakeStepFunctions(), "arn", images("a.png", "a.png"), run_name="r", poll=0)
    assert len({outcome.execution_arn for outcome in outcomes}) == 2


def test_a_failure_carries_the_message_that_lambda_wrapped() -> None:
    (outcome,) = run(FakeStepFunctions(), "arn", images("bad.png"), run_name="r", poll=0)
    assert (outcome.error, outcome.message, outcome.milliseconds) == ("ImageNotFound", "no such key", 250.0)


@pytest.mark.parametrize("cause", ["plain words", "[1, 2]", '"text"', None])
def test_a_cause_that_is_no_wrapped_message_is_kept_as_it_is(cause: str | None) -> None:
    outcome = Outcome(Image("b", "k"), "arn", "FAILED", None, "Error", cause, 1.0)
    assert outcome.message == cause


def test_an_execution_that_does_not_end_is_given_up_on_in_time() -> None:
    with pytest.raises(ExecutionTimeout, match="1 executions"):
        run(FakeStepFunctions(looks=10**9), "arn", images("a.png"), run_name="r", timeout=0, poll=0)


def test_who_is_interrupted_waits_for_nobody() -> None:
    def interrupt(_outcome: Outcome) -> None:
        raise KeyboardInterrupt

    class Endless(FakeStepFunctions):
        def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
            self.looks = 1 if "first" in self.inputs[executionArn]["s3_key"] else 10**9
            return super().describe_execution(executionArn)

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(Endless(), "arn", images("first.png", "endless.png"), run_name="r", on_outcome=interrupt)
    assert time.monotonic() - began < 5


class FakeExpress:
    """Answers when an execution has ended, as an Express workflow does, and keeps nothing to look at."""

    def describe_state_machine(self, stateMachineArn: str) -> dict[str, str]:  # noqa: N803
        return {"type": "EXPRESS"}

    def start_sync_execution(self, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:  # noqa: A002, N803
        answer = {"executionArn": f"{stateMachineArn}:{name}", "startDate": START, "stopDate": START}
        given = json.loads(input)
        if given["s3_key"] == "bad.png":
            return {**answer, "status": "FAILED", "error": "ImageNotFound"}
        return {**answer, "status": "SUCCEEDED", "output": input}


def test_an_express_workflow_is_run_to_its_end_by_the_call_that_starts_it() -> None:
    fine, bad = run(FakeExpress(), "arn", images("a.png", "bad.png"), run_name="r", threshold=0.7)
    assert (fine.status, fine.output) == ("SUCCEEDED", {"s3_bucket": "bucket", "s3_key": "a.png", "threshold": 0.7})
    assert (bad.status, bad.error) == ("FAILED", "ImageNotFound")


@given(st.text(max_size=1024), st.integers(0, 99_999))
def test_any_key_makes_a_name_that_step_functions_takes(key: str, number: int) -> None:
    name = execution_name(Image("b", key), f"demo-20260301t120000-{number:05d}")
    assert 1 <= len(name) <= 80
    assert all(character.isascii() and (character.isalnum() or character in "-_") for character in name)


class FakeHistory:
    def __init__(self, events: list[dict[str, Any]]) -> None:
        self.events = events

    def get_paginator(self, _operation: str) -> "FakeHistory":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"events": self.events}]


def test_a_states_input_is_found_in_the_history() -> None:
    entered = {"stateEnteredEventDetails": {"name": "FilterInferences", "input": '{"inferences": [0.6, 0.4]}'}}
    assert state_input(FakeHistory([{}, entered]), "arn", "FilterInferences") == {"inferences": [0.6, 0.4]}


def test_a_state_that_was_never_entered_has_no_input() -> None:
    assert state_input(FakeHistory([{}]), "arn", "FilterInferences") is None


class FakeQueue:
    def get_queue_attributes(self, **_: Any) -> dict[str, dict[str, str]]:
        return {"Attributes": {"ApproximateNumberOfMessages": "3", "ApproximateNumberOfMessagesNotVisible": "2"}}


def test_messages_being_handled_still_count() -> None:
    assert queue_length(FakeQueue(), "url") == 5
