"""What moto 5.2.5 does not have, answered here; docs/aws.md has the list with the reasons."""

from collections.abc import Mapping
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
    return ChangeSets(session, moto_url).stubs() | {
        "sagemaker:DescribeModel": sagemaker.describe_model,
        "sagemaker:DescribeEndpoint": sagemaker.describe_endpoint,
        "sagemaker:UpdateEndpoint": sagemaker.update_endpoint,
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

    def describe_model(self, **members: str) -> dict[str, Any]:
        """Return the model without the empty VPC that moto reports of one without a VPC."""
        model = _without_metadata(self._moto.describe_model(**members))
        return {name: value for name, value in model.items() if value}

    def describe_endpoint(self, **members: str) -> dict[str, Any]:
        """Return the endpoint with the members of its capture summary that moto leaves out and AWS requires."""
        endpoint = _without_metadata(self._moto.describe_endpoint(**members))
        capture = endpoint.pop("DataCaptureConfig", None)
        if not capture:
            return endpoint
        summary = {
            "EnableCapture": capture["EnableCapture"], "CaptureStatus": "Started",
            "CurrentSamplingPercentage": 100,
            "DestinationS3Uri": capture["DestinationS3Uri"], "KmsKeyId": capture.get("KmsKeyId", ""),
        }  # fmt: skip
        return endpoint | {"DataCaptureConfig": summary}

    def update_endpoint(self, EndpointName: str, EndpointConfigName: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Replace the endpoint by one with the other configuration."""
        endpoint = self._moto.describe_endpoint(EndpointName=EndpointName)
        if endpoint["EndpointStatus"] != "InService":
            raise error("ValidationException", f"Cannot update in-progress endpoint {endpoint['EndpointArn']}.")
        self._moto.delete_endpoint(EndpointName=EndpointName)
        return _without_metadata(
            self._moto.create_endpoint(EndpointName=EndpointName, EndpointConfigName=EndpointConfigName)
        )


def _without_metadata(response: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in response.items() if name != "ResponseMetadata"}
