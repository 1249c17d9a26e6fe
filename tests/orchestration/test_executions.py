import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from orchestration.errors import ExecutionTimeout
from orchestration.executions import Outcome, S3Image, execution_name, run, wait
from tests import fake_aws
from tests.orchestration.step_functions import LIMITS, STATE_MACHINE, StepFunctions

START = datetime(2026, 3, 1, tzinfo=UTC)


def images(*keys: str) -> list[S3Image]:
    return [S3Image("bucket", key) for key in keys]


def ran(fake: StepFunctions, inputs: list[S3Image], **options: Any) -> list[Outcome]:
    return run(fake.client(), STATE_MACHINE, inputs, run_name="r", **{"waiter": fake.waiter(), **options})


def test_outcomes_come_back_in_the_order_of_the_images() -> None:
    outcomes = ran(StepFunctions(), images("a.png", "bad.png", "c.png"), concurrency=2)
    assert [outcome.image.s3_key for outcome in outcomes] == ["a.png", "bad.png", "c.png"]
    assert [outcome.status for outcome in outcomes] == ["SUCCEEDED", "FAILED", "SUCCEEDED"]


def test_a_key_that_is_passed_twice_makes_two_executions() -> None:
    outcomes = ran(StepFunctions(), images("a.png", "a.png"))
    assert len({outcome.execution_arn for outcome in outcomes}) == 2


def test_no_more_than_the_concurrency_run_at_once() -> None:
    fake = StepFunctions(seconds=1)
    ran(fake, images(*"abcdefg"), concurrency=3)
    starts = sorted(begun for begun, _ in fake.started.values())
    assert all(later - earlier >= fake.seconds for earlier, later in zip(starts, starts[3:], strict=False))


def test_a_failure_carries_the_message_that_lambda_wrapped() -> None:
    (outcome,) = ran(StepFunctions(seconds=0.25), images("bad.png"))
    assert (outcome.error, outcome.message, outcome.milliseconds) == ("ImageNotFound", "no such key", 250.0)


@pytest.mark.parametrize("cause", ["plain words", "[1, 2]", '"text"', None])
def test_a_cause_that_is_no_wrapped_message_is_kept_as_it_is(cause: str | None) -> None:
    outcome = Outcome(S3Image("b", "k"), "arn", "FAILED", None, "Error", cause, 1.0)
    assert outcome.message == cause


def test_an_execution_that_outlives_the_timeout_is_reported_by_number() -> None:
    fake = StepFunctions(seconds=10**9)
    with pytest.raises(ExecutionTimeout, match="1 executions"):
        ran(fake, images("a.png"), waiter=fake.waiter(timeout_seconds=5))


def test_an_interruption_waits_for_no_execution() -> None:
    fake = StepFunctions(seconds=0)

    def interrupt(_outcome: Outcome) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ran(fake, images("first.png", "never-started.png"), concurrency=1, on_outcome=interrupt)
    assert len(fake.started) == 1


@pytest.mark.parametrize("concurrency", [8, 64])
def test_fifteen_hundred_images_end_within_the_rate_limits_of_aws(concurrency: int) -> None:
    fake = StepFunctions(seconds=2, limits=LIMITS)
    inputs = images(*(f"{'bad' if number % 100 == 0 else 'good'}-{number}.png" for number in range(1500)))
    outcomes = ran(fake, inputs, concurrency=concurrency)
    assert [outcome.image for outcome in outcomes] == inputs
    assert sum(outcome.status == "FAILED" for outcome in outcomes) == 15
    assert fake.calls["describe_execution"] - fake.throttled["describe_execution"] < 2 * len(inputs)


def test_a_throttled_request_says_nothing_about_an_execution() -> None:
    tight = {"start_execution": (1, 1.0), "describe_execution": (1, 0.5), "list_executions": (1, 2.0)}
    fake = StepFunctions(seconds=1, limits=tight)
    outcomes = ran(fake, images(*"abcde"))
    assert {outcome.status for outcome in outcomes} == {"SUCCEEDED"}
    assert all(fake.throttled[operation] for operation in tight)


def test_executions_that_were_started_elsewhere_are_waited_for_within_the_rate_limits() -> None:
    fake = StepFunctions(seconds=30, limits=LIMITS)
    client = fake.client()
    arns = {}
    for number in range(1200):
        started = client.start_execution(
            stateMachineArn=STATE_MACHINE, name=f"redrive-{number}", input='{"s3_key": "k"}'
        )
        arns[started["executionArn"]] = S3Image("", "")
    outcomes = wait(client, arns, fake.waiter(timeout_seconds=900))
    assert [outcome.execution_arn for outcome in outcomes] == list(arns)
    assert {outcome.status for outcome in outcomes} == {"SUCCEEDED"}


def test_an_error_that_is_no_throttling_ends_the_run() -> None:
    class Denied(StepFunctions):
        def list_executions(self, **_: Any) -> dict[str, Any]:  # type: ignore[override]
            raise fake_aws.error("AccessDeniedException", "not authorized to perform: states:ListExecutions")

    with pytest.raises(ClientError, match="states:ListExecutions"):
        ran(Denied(), images("a.png"))


class Express(StepFunctions):
    """Responds when an execution has ended, as an Express workflow does, and cannot describe it afterwards."""

    def describe_state_machine(self, stateMachineArn: str) -> dict[str, Any]:  # noqa: N803
        return super().describe_state_machine(stateMachineArn) | {"type": "EXPRESS"}

    def start_sync_execution(self, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:  # noqa: A002, N803
        ended = {"executionArn": f"{stateMachineArn}:{name}", "startDate": START, "stopDate": START}
        if json.loads(input)["s3_key"] == "bad.png":
            return {**ended, "status": "FAILED", "error": "ImageNotFound"}
        return {**ended, "status": "SUCCEEDED", "output": input}


def test_an_express_workflow_is_run_to_its_end_by_the_call_that_starts_it() -> None:
    fine, bad = ran(Express(), images("a.png", "bad.png"), threshold=0.7)
    assert (fine.status, fine.output) == ("SUCCEEDED", {"s3_bucket": "bucket", "s3_key": "a.png", "threshold": 0.7})
    assert (bad.status, bad.error) == ("FAILED", "ImageNotFound")


@given(st.text(max_size=1024), st.integers(0, 99_999))
def test_any_key_makes_a_name_that_step_functions_takes(key: str, number: int) -> None:
    name = execution_name(S3Image("b", key), f"demo-20260301t120000-{number:05d}")
    assert 1 <= len(name) <= 80
    assert all(character.isascii() and (character.isalnum() or character in "-_") for character in name)
