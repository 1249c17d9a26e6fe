"""What moto 5.2.5 does not have, answered here; docs/aws.md has the list with the reasons."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3

from tests.fake_aws import error
from tests.moto.change_sets import ChangeSets
from tests.moto.proxy import Stub

QUOTAS = {"ml.m5.xlarge for endpoint usage": 4.0, "ml.g5.xlarge for training job usage": 1.0}
LAMBDA_CONCURRENCY = 1000.0


def all_stubs(session: boto3.Session, moto_url: str) -> dict[str, Stub]:
    """Return every stub by the operation that it answers."""
    sagemaker = SageMaker(session.client("sagemaker", endpoint_url=moto_url))
    drift = {"StackId": "s", "StackDriftDetectionId": "d", "Timestamp": datetime.now(UTC)}
    drift["DetectionStatus"] = "DETECTION_COMPLETE"
    return ChangeSets(session, moto_url).stubs() | {
        "sagemaker:DescribeModel": sagemaker.describe_model,
        "sagemaker:CreateEndpoint": sagemaker.create_endpoint,
        "sagemaker:DescribeEndpoint": sagemaker.describe_endpoint,
        "sagemaker:UpdateEndpoint": sagemaker.update_endpoint,
        "cloudformation:DetectStackDrift": lambda **_: {"StackDriftDetectionId": "d"},
        "cloudformation:DescribeStackDriftDetectionStatus": lambda **_: drift,
        "cloudformation:DescribeStackResourceDrifts": lambda **_: {"StackResourceDrifts": []},
        "cloudformation:UpdateTerminationProtection": lambda StackName, **_: {"StackId": StackName},  # noqa: N803
        "service-quotas:ListServiceQuotas": lambda **_: {"Quotas": []},
        "service-quotas:ListAWSDefaultServiceQuotas": default_quotas,
        "service-quotas:GetServiceQuota": lambda **_: {"Quota": {"Value": LAMBDA_CONCURRENCY}},
        "pricing:GetProducts": lambda **_: {"PriceList": []},
    }


def default_quotas(**_: Any) -> dict[str, Any]:
    """Return the quotas that a project needs, as an account has them that was allowed a GPU."""
    return {"Quotas": [{"QuotaName": name, "QuotaCode": "L-1", "Value": value} for name, value in QUOTAS.items()]}


class SageMaker:
    """SageMaker's calls that moto lacks, made of those that it has."""

    def __init__(self, moto: Any) -> None:
        self._moto = moto
        self._creating = 0

    def describe_model(self, **members: str) -> dict[str, Any]:
        """Return the model without the empty VPC that moto reports of one without a VPC."""
        model = _without_metadata(self._moto.describe_model(**members))
        return {name: value for name, value in model.items() if value}

    def describe_endpoint(self, **members: str) -> dict[str, Any]:
        """Return the endpoint with the members of its capture summary that moto leaves out and AWS requires.

        It is Creating at first, which moto spares.
        """
        endpoint = _without_metadata(self._moto.describe_endpoint(**members))
        if self._creating:
            self._creating -= 1
            endpoint["EndpointStatus"] = "Creating"
        capture = endpoint.pop("DataCaptureConfig", None)
        if not capture:
            return endpoint
        summary = {
            "EnableCapture": capture["EnableCapture"], "CaptureStatus": "Started",
            "CurrentSamplingPercentage": 100,
            "DestinationS3Uri": capture["DestinationS3Uri"], "KmsKeyId": capture.get("KmsKeyId", ""),
        }  # fmt: skip
        return endpoint | {"DataCaptureConfig": summary}

    def create_endpoint(self, **members: Any) -> dict[str, Any]:
        """Create the endpoint, which three descriptions show as Creating."""
        self._creating = 3
        return _without_metadata(self._moto.create_endpoint(**members))

    def update_endpoint(self, EndpointName: str, EndpointConfigName: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Replace the endpoint by one with the other configuration."""
        endpoint = self._moto.describe_endpoint(EndpointName=EndpointName)
        if endpoint["EndpointStatus"] != "InService":
            raise error("ValidationException", f"Cannot update in-progress endpoint {endpoint['EndpointArn']}.")
        self._moto.delete_endpoint(EndpointName=EndpointName)
        return self.create_endpoint(EndpointName=EndpointName, EndpointConfigName=EndpointConfigName)


def _without_metadata(response: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in response.items() if name != "ResponseMetadata"}
