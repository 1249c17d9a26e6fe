import io
import json
from datetime import datetime
from typing import Any

import pytest
from PIL import Image

from core.lst_files import parse_lst
from core.queues import Message
from review.errors import UnreadableImage
from review.labelled_dataset import LISTING
from review.manifest import KEY, ReviewManifest
from review.reviewing import Reviewing
from tests.review.fakes import BUCKET, QUEUE, FakeS3, FakeSqs, message


class Stack:
    """An S3 and an SQS, and as many servers as there are starts of one."""

    def __init__(self, *keys: str) -> None:
        self.s3, self.sqs = FakeS3(), FakeSqs()
        for number, key in enumerate(keys):
            self.s3.objects[key] = png(number)
            self.sqs.send_message(QueueUrl=QUEUE, MessageBody=message(key, f"arn:{key}"))

    def server(self, s3: Any = None, sqs: Any = None) -> Reviewing:
        s3, sqs = s3 or self.s3, sqs or self.sqs
        return Reviewing(s3, sqs, QUEUE, ReviewManifest(s3, BUCKET), BUCKET, ("bicycle", "motorcycle"))

    def labels(self) -> dict[str, str]:
        lines = [json.loads(line) for line in self.s3.objects.get(KEY, b"").decode().splitlines()]
        labels = {line["source-ref"]: line["label-metadata"]["class-name"] for line in lines}
        assert len(labels) == len(lines)
        return labels

    def channel(self) -> list[int]:
        return [entry.label for entry in parse_lst(self.s3.objects.get(LISTING, b"").decode(), "train.lst")]


class Broken:
    """A client that stops working at one of its operations, before or after AWS has done what it asks."""

    def __init__(self, client: Any, operation: str, *, after: bool) -> None:
        self._client, self._operation, self._after = client, operation, after
        self.exceptions = getattr(client, "exceptions", None)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if name != self._operation:
            return method

        def fail(**parameters: Any) -> None:
            if self._after:
                method(**parameters)
            raise ConnectionResetError

        return fail


def png(shade: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (8, 8), (shade % 256, 0, 0)).save(content, "PNG")
    return content.getvalue()


def take(server: Reviewing) -> Message:
    item = server.next()
    assert item is not None
    return item


def test_a_label_is_recorded_and_its_message_deleted() -> None:
    stack = Stack("a.png")
    server = stack.server()
    decided = server.label([(take(server), "motorcycle")])
    assert [each.name for each in decided] == ["motorcycle"]
    assert stack.labels() == {"s3://data/a.png": "motorcycle"}
    assert stack.channel() == [1]
    stack.sqs.time_passes()
    assert server.next() is None


def test_neither_leaves_the_training_channel_as_it_is() -> None:
    stack = Stack("a.png")
    server = stack.server()
    server.label([(take(server), "neither")])
    assert stack.labels() == {"s3://data/a.png": "neither"}
    assert LISTING not in stack.s3.objects


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("service", "operation"), [("s3", "get_object"), ("s3", "put_object"), ("sqs", "delete_message_batch")]
)
def test_a_server_that_dies_at_any_step_loses_and_doubles_nothing(service: str, operation: str, after: bool) -> None:
    stack = Stack("a.png", "b.png")
    item = take(stack.server())
    broken = Broken(stack.s3 if service == "s3" else stack.sqs, operation, after=after)
    with pytest.raises(ConnectionResetError):
        stack.server(**{service: broken}).label([(item, "bicycle")])
    stack.sqs.time_passes()
    server = stack.server()
    while (again := server.next()) is not None:
        server.label([(again, "bicycle")])
    assert stack.labels() == {"s3://data/a.png": "bicycle", "s3://data/b.png": "bicycle"}
    assert stack.channel() == [0, 0]
    stack.sqs.time_passes()
    assert stack.sqs.visible[QUEUE] == []


def test_an_image_whose_reservation_ended_is_decided_once() -> None:
    stack = Stack("a.png")
    first, second = stack.server(), stack.server()
    item = take(first)
    stack.sqs.time_passes()
    again = take(second)
    assert second.label([(again, "motorcycle")]) == first.label([(item, "bicycle")])
    assert stack.labels() == {"s3://data/a.png": "motorcycle"}


def test_a_label_can_be_removed_and_set_again() -> None:
    stack = Stack("a.png")
    server = stack.server()
    item = take(server)
    server.label([(item, "bicycle")])
    again = server.undo(item)
    assert stack.labels() == {}
    assert stack.channel() == []
    server.label([(again, "motorcycle")])
    stack.sqs.time_passes()
    assert server.next() is None
    assert stack.labels() == {"s3://data/a.png": "motorcycle"}
    assert stack.sqs.visible[QUEUE] == []


def test_a_label_that_is_taken_back_and_left_comes_to_somebody_else() -> None:
    stack = Stack("a.png")
    server = stack.server()
    item = take(server)
    server.label([(item, "bicycle")])
    server.undo(item)
    stack.sqs.time_passes()
    assert take(stack.server()).image == item.image


def test_two_images_of_one_content_keep_their_line_in_the_listing() -> None:
    stack = Stack("a.png", "b.png")
    stack.s3.objects["b.png"] = stack.s3.objects["a.png"]
    server = stack.server()
    first, second = take(server), take(server)
    server.label([(first, "bicycle")])
    server.label([(second, "bicycle")])
    server.undo(second)
    assert stack.channel() == [0]


def test_an_image_that_is_gone_can_only_be_neither() -> None:
    stack = Stack("a.png")
    del stack.s3.objects["a.png"]
    server = stack.server()
    item = take(server)
    with pytest.raises(UnreadableImage):
        server.label([(item, "bicycle")])
    server.label([(item, "neither")])
    assert stack.labels() == {"s3://data/a.png": "neither"}


@pytest.mark.parametrize("body", ["not JSON", "[]", '{"s3_bucket": 1, "s3_key": 2}', "{}"])
def test_a_message_that_names_no_image_can_be_removed(body: str) -> None:
    stack = Stack()
    stack.sqs.send_message(QueueUrl=QUEUE, MessageBody=body)
    server = stack.server()
    item = take(server)
    assert (item.image, item.inferences) == (None, ())
    assert server.label([(item, "neither")]) == []
    stack.sqs.time_passes()
    assert server.next() is None


@pytest.mark.parametrize(("sent", "asked"), [("2026-03-01T11:00:00+00:00", False), ("2099-01-01T00:00:00+00:00", True)])
def test_an_image_that_ran_twice_is_asked_once_unless_it_came_after_its_label(sent: str, asked: bool) -> None:
    stack = Stack("a.png")
    server = stack.server()
    server.label([(take(server), "bicycle")])
    stack.sqs.send_message(QueueUrl=QUEUE, MessageBody=message("a.png", "arn:another"))
    stack.sqs.sent_timestamp = str(int(datetime.fromisoformat(sent).timestamp() * 1000))
    assert (server.next() is not None) is asked
