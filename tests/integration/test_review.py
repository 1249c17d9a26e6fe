"""The review queue against LocalStack's S3 and SQS: conditional writes, redelivery, delayed messages."""

import json
from collections.abc import Iterator

import pytest

from review.manifest import KEY, ReviewManifest
from review.reviewing import Reviewing
from tests.integration.conftest import Running
from tests.review.fakes import message
from tests.review.test_reviewing import png, take

pytestmark = pytest.mark.integration
BUCKET = "review-tests"


@pytest.fixture
def servers(scripted: Running) -> Iterator[tuple[Reviewing, Reviewing]]:
    """Two servers of one queue, with two images in it."""
    s3, sqs = scripted.client("s3"), scripted.client("sqs")
    s3.create_bucket(Bucket=BUCKET)
    url = sqs.create_queue(QueueName=BUCKET)["QueueUrl"]
    for number, key in enumerate(["a.png", "b\u2028\n.png"]):
        s3.put_object(Bucket=BUCKET, Key=key, Body=png(number))
        body = json.loads(message(key, f"arn:{number}")) | {"s3_bucket": BUCKET}
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))
    labels = ("bicycle", "motorcycle")
    yield tuple(  # type: ignore[misc]
        Reviewing(s3, sqs, url, ReviewManifest(s3, BUCKET), BUCKET, labels) for _ in range(2)
    )
    sqs.delete_queue(QueueUrl=url)


def test_two_servers_label_each_image_once_whatever_is_delivered_again(servers: tuple[Reviewing, Reviewing]) -> None:
    first, second = servers
    one, other = take(first), take(second)
    assert one.image != other.image
    first.reserve([one], 0)  # as after a server that died: the message is delivered again
    again = take(second)
    assert again.image == one.image
    assert second.label([(again, "bicycle")]) == first.label([(one, "motorcycle")])
    first.label([(other, "neither")])
    assert second.manifest.counts() == {"bicycle": 1, "neither": 1}
    undone = second.undo(again)
    assert again.image is not None
    assert first.manifest.find(again.image, again.execution, 0) is None
    second.label([(undone, "motorcycle")])
    lines = first.s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read().decode().splitlines()
    assert sorted(json.loads(line)["label-metadata"]["class-name"] for line in lines) == ["motorcycle", "neither"]
    assert first.left() == 1  # the delayed message of the label that was taken back
    assert first.next() is None
