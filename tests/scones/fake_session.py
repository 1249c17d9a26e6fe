"""A session for commands under test: its clients are botocore's, answered by fakes."""

from collections import Counter
from typing import Any

import boto3
from botocore import xform_name

from tests import fake_aws


class FakeSession(boto3.Session):  # type: ignore[misc]  # boto3 has no types
    """Hands out a client for each service of ``fakes``; a call of any other service is an AttributeError.

    ``requests`` counts the calls by their names, such as ``cloudformation.describe_stacks``, and ``sent`` has the last
    request's members by the same names.
    """

    def __init__(self, **fakes: object) -> None:
        super().__init__(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        self.requests: Counter[str] = Counter()
        self.sent: dict[str, dict[str, Any]] = {}
        self._fakes = {name.replace("_", "-"): fake for name, fake in fakes.items()}

    def client(self, service_name: str, *_: Any, **__: Any) -> Any:
        """Return a client of the service."""
        made = fake_aws.client(service_name, self._fakes.get(service_name, object()))
        made.meta.events.register_first("before-parameter-build", self._record)
        return made

    def in_order(self, *names: str) -> list[str]:
        """Return these calls in the order of their first request."""
        return [name for name in self.requests if name in names]

    def _record(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        name = f"{model.service_model.service_name}.{xform_name(model.name)}"
        self.requests[name] += 1
        self.sent[name] = params
