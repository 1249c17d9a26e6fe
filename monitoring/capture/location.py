"""Where an endpoint's captures are."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.s3_uris import S3Uri
from monitoring.errors import CaptureOff

VARIANT = "AllTraffic"


@dataclass(frozen=True)
class CaptureLocation:
    """``s3://{bucket}/{prefix}/{endpoint}/{variant}/``; ``endpoint_exists`` is False if it was deleted.

    ``configured`` is when the endpoint's present configuration, which names its model, was created.

    Without an endpoint it is everything below the prefix, whatever the levels above the folders of the years are.
    """

    bucket: str
    prefix: str
    endpoint: str = ""
    variant: str = VARIANT
    endpoint_exists: bool = True
    configured: datetime | None = None

    @property
    def root(self) -> str:
        """The prefix of every key, without a trailing slash."""
        levels = (self.endpoint, self.variant) if self.endpoint else ()
        return "/".join(part for part in (self.prefix.strip("/"), *levels) if part)


def capture_location(sagemaker: Any, endpoint: str) -> CaptureLocation:
    """Return where ``endpoint`` captures to, from a ``sagemaker`` client.

    Raises CaptureOff for an endpoint without data capture, and SageMaker's own error for one that does not exist.
    """
    response = sagemaker.describe_endpoint(EndpointName=endpoint)
    config = response.get("DataCaptureConfig")
    if not config or not config.get("EnableCapture", False):
        raise CaptureOff(endpoint)
    destination = S3Uri.parse(config["DestinationS3Uri"])
    variants = [variant["VariantName"] for variant in response.get("ProductionVariants", [])]
    configuration = sagemaker.describe_endpoint_config(EndpointConfigName=response["EndpointConfigName"])
    return CaptureLocation(
        destination.bucket,
        destination.key,
        endpoint,
        variants[0] if variants else VARIANT,
        configured=configuration["CreationTime"],
    )
