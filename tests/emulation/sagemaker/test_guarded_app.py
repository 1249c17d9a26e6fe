"""Requests for another region than the emulator's are refused, as AWS refuses them."""

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.emulation.sagemaker.emulator import Emulator

CALLS = [
    ("sagemaker", "list_endpoints", {}),
    ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "e", "Body": b"x"}),
    ("scheduler", "get_schedule", {"Name": "s"}),
    ("application-autoscaling", "describe_scalable_targets", {"ServiceNamespace": "sagemaker"}),
]


@pytest.mark.parametrize(("service", "operation", "arguments"), CALLS, ids=[service for service, _, _ in CALLS])
def test_a_client_of_another_region_is_told_which_one_is_emulated(
    stub_emulator: Emulator, service: str, operation: str, arguments: dict[str, object]
) -> None:
    client = boto3.client(
        service,
        endpoint_url=stub_emulator.url,
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    with pytest.raises(
        ClientError, match=r"valid region, not 'eu-central-1'\. This emulator is in us-east-1"
    ) as caught:
        getattr(client, operation)(**arguments)
    assert caught.value.response["Error"]["Code"] == "InvalidSignatureException"
