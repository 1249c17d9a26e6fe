"""Requests for what is not emulated, refused when they are made."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulation.sagemaker.emulator import IMAGE, Emulator


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:
    """Error code and message of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_a_multi_model_container_is_refused(emulator: Emulator, name: str) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": "s3://models/", "Mode": "MultiModel"}
    code, message = refusal(emulator.client("sagemaker").create_model, ModelName=name, PrimaryContainer=container)
    assert (code, message.partition(":")[0]) == ("ValidationException", "Mode MultiModel is not emulated")


def test_an_asynchronous_endpoint_is_refused_with_its_configuration(emulator: Emulator, name: str) -> None:
    code, message = refusal(
        emulator.client("sagemaker").create_endpoint_config,
        EndpointConfigName=name,
        ProductionVariants=[{"VariantName": "A", "ModelName": name}],
        AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": "s3://out/"}},
    )
    assert (code, message) == ("ValidationException", "AsyncInferenceConfig is not emulated.")
