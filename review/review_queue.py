"""The review queue for the review page: reserves messages while they are shown, deletes them once labelled."""

import json
from collections.abc import Iterable
from typing import Any

from core.json_objects import parse_json_object
from review.tickets import ReviewItem

RESERVED_SECONDS = 60
"""How long after the last request of the page that shows it a message becomes visible again."""
SKIPPED_SECONDS = 120
UNDONE_SECONDS = 300
_NAMES = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")
_BATCH = 10


class ReviewQueue:
    """The queue at ``url``, by a client of SQS."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs, self._url = sqs, url

    def receive(self) -> ReviewItem | None:
        """Reserve a message, or None if none is visible."""
        response = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=1,
            VisibilityTimeout=RESERVED_SECONDS,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        for message in response.get("Messages", []):
            sent = int(message.get("Attributes", {}).get("SentTimestamp", 0)) / 1000
            return ReviewItem(message["MessageId"], message["ReceiptHandle"], parse_json_object(message["Body"]), sent)
        return None

    def extend(self, items: Iterable[ReviewItem], seconds: int = RESERVED_SECONDS) -> None:
        """Keep messages reserved for ``seconds`` from now. One that has been deleted is ignored."""
        receipts = [item.receipt for item in items if item.receipt]
        for first in range(0, len(receipts), _BATCH):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
                for number, receipt in enumerate(receipts[first : first + _BATCH])
            ]
            self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)

    def delete(self, item: ReviewItem) -> None:
        """Delete a message. One whose receipt has expired is received again, and then deleted."""
        if item.receipt:
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=item.receipt)

    def send_again(self, item: ReviewItem) -> None:
        """Send the message of a label that is taken back: somebody gets it unless a new label comes first."""
        self._sqs.send_message(QueueUrl=self._url, MessageBody=json.dumps(item.body), DelaySeconds=UNDONE_SECONDS)

    def length(self) -> int:
        """Return how many messages are left, about, with those that are reserved or delayed."""
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=list(_NAMES))["Attributes"]
        return sum(int(attributes[name]) for name in _NAMES)
