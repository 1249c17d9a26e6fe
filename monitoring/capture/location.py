"""Where an endpoint writes its captures, as the endpoint itself says."""

from typing import Any

from monitoring.capture.reader import VARIANT, Place
from monitoring.errors import CaptureOff


def place_of(sagemaker: Any, endpoint: str) -> Place:
    """Ask a ``sagemaker`` client where ``endpoint`` writes its captures.

    Raises CaptureOff for an endpoint that captures nothing; an endpoint that is not there is SageMaker's own error.
    """
    found = sagemaker.describe_endpoint(EndpointName=endpoint)
    config = found.get("DataCaptureConfig")
    if not config or not config.get("EnableCapture", False):
        raise CaptureOff(endpoint)
    bucket, _, prefix = config["DestinationS3Uri"].removeprefix("s3://").partition("/")
    variants = [variant["VariantName"] for variant in found.get("ProductionVariants", [])]
    return Place(bucket, prefix, endpoint, variants[0] if variants else VARIANT)
