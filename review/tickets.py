"""Tickets: what the server knows of a message, signed, so that the page can hold it and the server may restart."""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass

from core.queues import Message
from review.errors import InvalidTicket


@dataclass(frozen=True)
class Tickets:
    """Signs and reads tickets; ``secret`` is the same after a restart."""

    secret: bytes

    def sign(self, message: Message) -> str:
        """Return the ticket of a message."""
        content = base64.urlsafe_b64encode(json.dumps(asdict(message)).encode()).decode()
        return f"{content}.{self._signature(content)}"

    def read(self, ticket: object) -> Message:
        """Return the message of a ticket. Raises InvalidTicket."""
        content, _, signature = str(ticket).rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(content).encode()):
            raise InvalidTicket
        try:
            return Message(**json.loads(base64.urlsafe_b64decode(content)))
        except (ValueError, TypeError, binascii.Error):
            raise InvalidTicket from None

    def _signature(self, content: str) -> str:
        return hmac.new(self.secret, content.encode(), hashlib.sha256).hexdigest()
