from datetime import UTC, datetime
from typing import Any

import pytest

from monitoring.capture import CaptureLocation, capture_location
from monitoring.errors import CaptureOff


class Endpoint:
    def __init__(self, capture: dict[str, Any] | None) -> None:
        self.capture = capture

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:  # noqa: N803
        result: dict[str, Any] = {"EndpointName": EndpointName, "EndpointConfigName": "e-2"}
        result["ProductionVariants"] = [{"VariantName": "Blue"}]
        return result | ({"DataCaptureConfig": self.capture} if self.capture else {})

    def describe_endpoint_config(self, EndpointConfigName: str) -> dict[str, Any]:  # noqa: N803
        return {"EndpointConfigName": EndpointConfigName, "CreationTime": CONFIGURED}


CONFIGURED = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_the_endpoint_says_where_it_captures() -> None:
    config = {"EnableCapture": True, "DestinationS3Uri": "s3://bucket/some/prefix"}
    assert capture_location(Endpoint(config), "e") == CaptureLocation(
        "bucket", "some/prefix", "e", "Blue", configured=CONFIGURED
    )


@pytest.mark.parametrize("config", [None, {"EnableCapture": False, "DestinationS3Uri": "s3://b/p"}])
def test_an_endpoint_without_capture_is_refused_in_words(config: dict[str, Any] | None) -> None:
    with pytest.raises(CaptureOff, match="endpoint e has no data capture"):
        capture_location(Endpoint(config), "e")
