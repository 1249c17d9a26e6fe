import json
from collections import Counter
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from orchestration.failure_queue import count_errors, redrive

QUEUE = "https://sqs/queue"


class Crash(BaseException):
    """The process dies here."""


class FakeQueue:
    """SQS as it promises to be: a received message is out of sight until it is released, deleted or its time is up."""

    def __init__(self, bodies: list[Any]) -> None:
        self.messages = {str(n): body if isinstance(body, str) else json.dumps(body) for n, body in enumerate(bodies)}
        self.hidden: set[str] = set()
        self.patience: int | None = None

    def _tick(self) -> None:
        if self.patience is not None:
            self.patience -= 1
            if self.patience < 0:
                raise Crash

    def receive_message(self, **request: Any) -> dict[str, Any]:
        self._tick()
        free = [name for name in self.messages if name not in self.hidden][: request["MaxNumberOfMessages"]]
        self.hidden |= set(free)
        return {"Messages": [{"MessageId": n, "ReceiptHandle": n, "Body": self.messages[n]} for n in free]}

    def delete_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        self._tick()
        for entry in Entries:
            self.messages.pop(entry["ReceiptHandle"], None)
            self.hidden.discard(entry["ReceiptHandle"])
        return {}

    def change_message_visibility_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        for entry in Entries:
            assert entry["VisibilityTimeout"] == 0
            self.hidden.discard(entry["ReceiptHandle"])
        return {}


class FakeStepFunctions:
    """Knows the names it has started; a name that has ended is refused. What is started may fail into the queue."""

    def __init__(self, queue: FakeQueue | None = None) -> None:
        self.inputs: dict[str, str] = {}
        self.queue = queue

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> dict[str, str]:  # noqa: A002, N803
        if name in self.inputs:
            raise ClientError({"Error": {"Code": "ExecutionAlreadyExists"}}, "StartExecution")
        self.inputs[name] = input
        arn = f"arn:execution:{name}"
        if self.queue is not None:
            self.queue.messages[f"again-{name}"] = json.dumps({"execution_arn": arn, "input": json.loads(input)})
        return {"executionArn": arn}


def failure(number: int, error: str = "EndpointUnavailable") -> dict[str, Any]:
    return {"execution_arn": f"arn:{number}", "error": error, "input": {"s3_bucket": "b", "s3_key": f"{number}.png"}}


def keys(machine: FakeStepFunctions) -> Counter[str]:
    return Counter(json.loads(text)["s3_key"] for text in machine.inputs.values())


def test_every_failure_is_started_once_and_leaves_the_queue() -> None:
    queue, machine = FakeQueue([failure(n) for n in range(25)]), FakeStepFunctions()
    result = redrive(queue, machine, QUEUE, "arn:machine")
    assert (len(set(result.started)), result.already_started, result.failed_again, result.remaining) == (25, 0, 0, 0)
    assert keys(machine) == Counter(f"{n}.png" for n in range(25))
    assert not queue.messages


@given(count=st.integers(1, 15), death=st.integers(0, 40))
def test_a_call_that_dies_anywhere_is_completed_by_the_next_without_doubling(count: int, death: int) -> None:
    queue, machine = FakeQueue([failure(n) for n in range(count)]), FakeStepFunctions()
    queue.patience = death
    try:
        redrive(queue, machine, QUEUE, "arn:machine")
    except Crash:
        queue.hidden.clear()  # their time is up
        queue.patience = None
        redrive(queue, machine, QUEUE, "arn:machine")
    assert keys(machine) == Counter(f"{n}.png" for n in range(count))
    assert not queue.messages


def test_two_messages_about_one_failure_start_it_once() -> None:
    queue, machine = FakeQueue([failure(1), failure(1)]), FakeStepFunctions()
    result = redrive(queue, machine, QUEUE, "arn:machine")
    assert (len(result.started), result.already_started, len(machine.inputs)) == (1, 1, 1)


def test_what_fails_again_at_once_is_left_for_the_next_call() -> None:
    queue = FakeQueue([failure(n) for n in range(3)])
    result = redrive(queue, FakeStepFunctions(queue), QUEUE, "arn:machine")
    assert (len(result.started), result.failed_again, result.remaining, len(queue.messages)) == (3, 3, 0, 3)
    assert not queue.hidden


def test_other_errors_and_messages_without_an_input_are_left_in_sight() -> None:
    queue = FakeQueue([failure(1), failure(2, "UnsupportedImage"), "no json", {"no": "arn"}])
    result = redrive(queue, FakeStepFunctions(), QUEUE, "arn:machine", errors={"EndpointUnavailable"})
    assert (len(result.started), result.failed_again, result.remaining) == (1, 0, 3)
    assert not queue.hidden


def test_failures_can_be_counted_by_error_and_stay_where_they_are() -> None:
    queue = FakeQueue([failure(1), failure(2), failure(3, "UnsupportedImage"), "no json"])
    result = count_errors(queue, QUEUE)
    assert result == {"EndpointUnavailable": 2, "UnsupportedImage": 1, "unnamed": 1}
    assert (len(queue.messages), queue.hidden) == (4, set())
    assert count_errors(queue, QUEUE, {"UnsupportedImage", "Other"}) == {"UnsupportedImage": 1}


def test_an_input_that_did_not_fit_the_message_is_taken_from_the_execution() -> None:
    class Described(FakeStepFunctions):
        def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
            return {"executionArn": executionArn, "status": "FAILED", "startDate": None, "input": '{"s3_key": "big"}'}

    machine = Described()
    redrive(FakeQueue([{"execution_arn": "arn:1", "error": "InvalidInput"}]), machine, QUEUE, "arn:machine")
    assert list(machine.inputs.values()) == ['{"s3_key": "big"}']
