import json

import pytest

from review.errors import AmbiguousImage
from scones.review_queue import record_labels
from tests import fake_aws
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
