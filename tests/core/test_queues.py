import json
from typing import Any

import pytest

from core.errors import MessagesNotDeleted
from core.queues import Message, delete, length, receive, release, set_visibility
from core.s3_uris import S3Uri
from tests.review.fakes import QUEUE, FakeSqs, message


def queue_of(count: int) -> FakeSqs:
    sqs = FakeSqs()
    for number in range(count):
        sqs.send_message(QueueUrl=QUEUE, MessageBody=message(f"{number}.png"))
    return sqs


def test_each_message_is_received_once_until_it_is_released() -> None:
    sqs = queue_of(12)
    received = list(receive(sqs, QUEUE))
    assert sorted(str(each.image) for each in received) == sorted(f"s3://data/{number}.png" for number in range(12))
    assert list(receive(sqs, QUEUE)) == []
    assert length(sqs, QUEUE) == 12
    release(sqs, QUEUE, received)
    assert len(list(receive(sqs, QUEUE))) == 12


def test_what_is_deleted_does_not_come_back() -> None:
    sqs = queue_of(12)
    delete(sqs, QUEUE, receive(sqs, QUEUE))
    sqs.time_passes()
    assert length(sqs, QUEUE) == 0


def test_a_message_that_sqs_does_not_delete_is_reported() -> None:
    class Refusing(FakeSqs):
        def delete_message_batch(self, **_: object) -> dict[str, Any]:
            return {"Failed": [{"Id": "0", "Code": "InternalError"}]}

    with pytest.raises(MessagesNotDeleted, match="InternalError"):
        delete(Refusing(), QUEUE, [Message("1", "1", {})])


def test_a_message_without_a_receipt_changes_nothing_in_the_queue() -> None:
    sqs = queue_of(1)
    delete(sqs, QUEUE, [Message("1", None, {})])
    set_visibility(sqs, QUEUE, [Message("1", None, {})], 60)
    assert (sqs.extended, length(sqs, QUEUE)) == ([], 1)


def test_a_message_tells_its_image_execution_and_prediction() -> None:
    body = json.loads(message("a.png", "arn:e")) | {"probably_neither": True}
    read = Message("m", "r", body)
    assert (read.image, read.execution, read.inferences) == (S3Uri("data", "a.png"), "arn:e", (0.7, 0.3))
    assert read.probably_neither


@pytest.mark.parametrize("body", [{}, {"s3_bucket": 1, "s3_key": 2, "inferences": ["a", 7, None]}])
def test_a_message_that_names_nothing_is_known_by_its_own_id(body: dict[str, Any]) -> None:
    read = Message("m", "r", body)
    assert (read.image, read.execution, read.execution_arn, read.inferences) == (None, "m", "", ())
