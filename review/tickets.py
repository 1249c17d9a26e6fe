"""Tickets: what the server knows of a message, signed, so that the page can hold it and the server may restart."""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass
from typing import Any

from core.s3_uris import S3Uri
from review.errors import InvalidTicket


@dataclass(frozen=True)
class ReviewItem:
    """A message of the review queue, ``sent`` at seconds since 1970.

    ``uri`` is None if it names no image; ``receipt`` is None after an undo.
    """

    message_id: str
    receipt: str | None
    body: dict[str, Any]
    sent: float = 0.0

    @property
    def uri(self) -> S3Uri | None:
        """The image."""
        bucket, key = self.body.get("s3_bucket"), self.body.get("s3_key")
        return S3Uri(bucket, key) if isinstance(bucket, str) and isinstance(key, str) else None

    @property
    def execution(self) -> str:
        """The ARN of the execution that sent the message; the message's id where it names none."""
        return str(self.body.get("execution_arn") or self.message_id)

    @property
    def inferences(self) -> tuple[float, ...]:
        """The two probabilities, empty if the message has none."""
        values = self.body.get("inferences")
        numbers = values if isinstance(values, list) else []
        return tuple(value for value in numbers if isinstance(value, int | float) and 0 <= value <= 1)

    @property
    def probably_neither(self) -> bool:
        """Whether the model takes the image for one of neither label; false where it does not say."""
        return self.body.get("probably_neither") is True


@dataclass(frozen=True)
class Tickets:
    """Signs and reads tickets; ``secret`` is the same after a restart."""

    secret: bytes

    def sign(self, item: ReviewItem) -> str:
        """Return the ticket of an item."""
        content = base64.urlsafe_b64encode(json.dumps(asdict(item)).encode()).decode()
        return f"{content}.{self._signature(content)}"

    def read(self, ticket: object) -> ReviewItem:
        """Return the item of a ticket. Raises InvalidTicket."""
        content, _, signature = str(ticket).rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(content).encode()):
            raise InvalidTicket
        try:
            return ReviewItem(**json.loads(base64.urlsafe_b64decode(content)))
        except (ValueError, TypeError, binascii.Error):
            raise InvalidTicket from None

    def _signature(self, content: str) -> str:
        return hmac.new(self.secret, content.encode(), hashlib.sha256).hexdigest()
