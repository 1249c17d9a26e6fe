"""A session of an endpoint that captures, whose configuration has a known age."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any

from tests import fake_aws
from tests.monitoring.captures import LOCATION, FakeS3, file, key, line


class ConfiguredSession:
    """The endpoint ``scones`` and what it captured; there is no stack and no latency."""

    meta = SimpleNamespace(region_name="us-east-1")

    def __init__(self, configured: datetime) -> None:
        self.configured = configured
        self.s3 = FakeS3({})

    def capture(self, time: datetime, count: int) -> None:
        """Add a file of captured inferences of this time."""
        self.s3.objects[key(time)] = file(*(line(f"{time:%H%M}-{number}", time) for number in range(count)))

    def client(self, service: str) -> Any:
        """Return the client of a service."""
        return self.s3 if service == "s3" else self

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:  # noqa: N803
        destination = f"s3://{LOCATION.bucket}/{LOCATION.prefix}"
        capture = {"EnableCapture": True, "DestinationS3Uri": destination}
        return {"EndpointName": EndpointName, "EndpointConfigName": "scones-2", "DataCaptureConfig": capture}

    def describe_endpoint_config(self, **_: str) -> dict[str, Any]:
        return {"CreationTime": self.configured}

    def describe_stacks(self, StackName: str) -> None:  # noqa: N803
        raise fake_aws.error("ValidationError", f"Stack with id {StackName} does not exist")

    def get_metric_statistics(self, **_: Any) -> dict[str, Any]:
        return {"Datapoints": []}
