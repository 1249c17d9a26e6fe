import json
from dataclasses import replace

import pytest

from core.lst_files import parse_lst
from review.errors import AmbiguousImage
from review.labelled_dataset import LISTING
from review.manifest import KEY
from scones.labelling import record_labels
from tests import fake_aws
from tests.review.fakes import BUCKET, QUEUE, FakeS3, FakeSqs, message
from tests.review.test_reviewing import png
from tests.scones.stacks import deployed


class TwoBuckets:
    """A review queue with one key of two buckets; nothing may be taken from it."""

    def __init__(self) -> None:
        bodies = [json.dumps({"s3_bucket": bucket, "s3_key": "a.png"}) for bucket in ("b", "c")]
        self.waiting = [{"MessageId": body, "ReceiptHandle": body, "Body": body} for body in bodies]
        self.released = 0

    def receive_message(self, **_: object) -> dict[str, object]:
        messages, self.waiting = self.waiting, []
        return {"Messages": messages}

    def change_message_visibility_batch(
        self,
        QueueUrl: str,  # noqa: N803
        Entries: list[dict[str, str]],  # noqa: N803
    ) -> dict[str, object]:
        self.released += len(Entries)
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries], "Failed": []}


def test_a_key_of_two_buckets_is_not_labelled_by_guess() -> None:
    queue = TwoBuckets()
    with pytest.raises(AmbiguousImage, match=r"s3://b/a\.png or s3://c/a\.png"):
        record_labels(fake_aws.client("sqs", queue), None, deployed(), {"a.png": "bicycle"})
    assert queue.released == 2


def test_labels_of_the_command_line_are_recorded_once_as_those_of_the_page() -> None:
    s3, sqs = FakeS3(), FakeSqs()
    for number, (key, execution) in enumerate([("a.png", "e1"), ("a.png", "e2"), ("b.png", "e3"), ("c.png", "e4")]):
        s3.objects[key] = png(number)
        sqs.send_message(QueueUrl=QUEUE, MessageBody=message(key, execution))
    outputs = replace(deployed(), data_bucket=BUCKET, review_queue_url=QUEUE)
    assert record_labels(sqs, s3, outputs, {"a.png": "motorcycle", "b.png": "neither"}) == (2, 1)
    lines = [json.loads(line) for line in s3.objects[KEY].decode().splitlines()]
    recorded = {line["source-ref"]: line["label-metadata"]["class-name"] for line in lines}
    assert (len(lines), recorded) == (2, {"s3://data/a.png": "motorcycle", "s3://data/b.png": "neither"})
    assert [entry.label for entry in parse_lst(s3.objects[LISTING].decode(), "train.lst")] == [1]
    assert [json.loads(each["Body"])["s3_key"] for each in sqs.visible[QUEUE]] == ["c.png"]
