"""An S3 and an SQS in memory, as far as reviewing uses them; conditional writes as S3 documents them."""

import hashlib
import io
import itertools
import json
from typing import Any

from tests import fake_aws

BUCKET = "data"
QUEUE = "https://sqs/review"
FAILURES = "https://sqs/failure"


class FakeS3:
    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.fail_next: Exception | None = None

        class Exceptions:
            NoSuchKey = type(fake_aws.error("NoSuchKey", ""))

        self.exceptions = Exceptions

    def put_object(self, **parameters: Any) -> dict[str, Any]:
        if self.fail_next is not None:
            error, self.fail_next = self.fail_next, None
            raise error
        key, body = parameters["Key"], parameters["Body"]
        existing, match = self.objects.get(key), parameters.get("IfMatch")
        is_stale = match is not None and (existing is None or etag(existing) != match)
        if is_stale or ("IfNoneMatch" in parameters and existing is not None):
            raise fake_aws.error("PreconditionFailed", "At least one of the preconditions did not hold.")
        self.objects[key] = body
        return {"ETag": etag(body)}

    def get_object(self, *, Bucket: str, Key: str, IfNoneMatch: str = "") -> dict[str, Any]:  # noqa: N803
        assert Bucket
        if Key not in self.objects:
            raise fake_aws.error("NoSuchKey", "The specified key does not exist.")
        body = self.objects[Key]
        if IfNoneMatch == etag(body):
            raise fake_aws.error("304", "Not Modified")
        return {"Body": io.BytesIO(body), "ContentLength": len(body), "ETag": etag(body)}


class FakeSqs:
    """Queues whose messages are visible again when a test says so."""

    def __init__(self) -> None:
        self.visible: dict[str, list[dict[str, str]]] = {QUEUE: [], FAILURES: []}
        self.in_flight: dict[str, tuple[str, dict[str, str]]] = {}
        self.delayed: list[dict[str, str]] = []
        self.extended: list[int] = []
        self.sent_timestamp = "1772366400000"
        self._numbers = itertools.count()

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int = 0) -> None:  # noqa: N803
        message = {"MessageId": f"m{next(self._numbers)}", "Body": MessageBody}
        (self.delayed if DelaySeconds else self.visible[QueueUrl]).append(message)

    def receive_message(self, *, QueueUrl: str, MaxNumberOfMessages: int, **_: Any) -> dict[str, Any]:  # noqa: N803
        messages: list[dict[str, Any]] = []
        while self.visible[QueueUrl] and len(messages) < MaxNumberOfMessages:
            message = self.visible[QueueUrl].pop(0)
            receipt = f"r{next(self._numbers)}"
            self.in_flight[receipt] = QueueUrl, message
            attributes = {"SentTimestamp": self.sent_timestamp}
            messages.append({**message, "ReceiptHandle": receipt, "Attributes": attributes})
        return {"Messages": messages} if messages else {}

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> None:  # noqa: N803
        for entry in Entries:
            self.extended.append(entry["VisibilityTimeout"])
            if not entry["VisibilityTimeout"] and entry["ReceiptHandle"] in self.in_flight:
                self.visible[QueueUrl].append(self.in_flight.pop(entry["ReceiptHandle"])[1])

    def delete_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        assert QueueUrl
        for entry in Entries:
            self.in_flight.pop(entry["ReceiptHandle"], None)
        return {}

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803
        counts = (len(self.visible[QueueUrl]), len(self.in_flight), len(self.delayed))
        return {"Attributes": dict(zip(AttributeNames, map(str, counts), strict=True))}

    def time_passes(self) -> None:
        """Every reservation ends, and every delay."""
        for url, message in self.in_flight.values():
            self.visible[url].append(message)
        self.in_flight.clear()
        self.visible[QUEUE] += self.delayed
        self.delayed.clear()


def etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def message(key: str, execution: str = "arn:e1", inferences: object = (0.7, 0.3)) -> str:
    """A message as the state machine sends it."""
    cause = json.dumps({"errorMessage": "confidence 0.70 is below the threshold 0.94"})
    body = {
        "execution_arn": execution, "s3_bucket": BUCKET, "s3_key": key, "inferences": inferences,
        "error": "ThresholdConfidenceNotMet", "cause": cause,
    }  # fmt: skip
    return json.dumps(body)
