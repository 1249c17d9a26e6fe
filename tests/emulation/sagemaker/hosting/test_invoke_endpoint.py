import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import ClientError

from emulation.sagemaker.hosting.event_stream import payload_parts
from tests.emulation.sagemaker.emulator import Emulator, model_archive


def refusal(emulator: Emulator, **arguments: Any) -> tuple[Any, dict[str, Any]]:
    client = emulator.client("sagemaker-runtime")
    with pytest.raises(ClientError) as caught:
        client.invoke_endpoint(**arguments)
    response = caught.value.response
    return caught.value, {
        "code": response["Error"]["Code"],
        "message": response["Error"]["Message"],
        "status": response["ResponseMetadata"]["HTTPStatusCode"],
    }


def test_an_invocation_returns_what_the_model_returns(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    response = emulator.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, Body=b"image", ContentType="image/png", Accept="application/json"
    )
    assert response["Body"].read() == b"[0.93, 0.07]"
    assert response["ContentType"] == "application/json"
    assert response["InvokedProductionVariant"] == "AllTraffic"
    assert response["CustomAttributes"] == "from-the-model"


def test_the_model_sees_the_callers_headers(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    response = emulator.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name,
        Body=b"headers",
        ContentType="image/jpeg",
        Accept="application/jsonlines",
        CustomAttributes="trace=7",
    )
    headers = json.loads(response["Body"].read())
    assert headers["content-type"] == "image/jpeg"
    assert headers["accept"] == "application/jsonlines"
    assert headers["x-amzn-sagemaker-custom-attributes"] == "trace=7"
    assert "authorization" not in headers


def test_an_endpoint_that_is_not_there_is_a_validation_error(emulator: Emulator, name: str) -> None:
    error, seen = refusal(emulator, EndpointName=name, Body=b"x")
    assert type(error).__name__ == "ValidationError"
    assert seen == {
        "code": "ValidationError",
        "message": f"Endpoint {name} of account 000000000000 not found.",
        "status": 400,
    }


def test_an_endpoints_name_must_be_matched_in_case(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    assert refusal(emulator, EndpointName=name.upper(), Body=b"x")[1]["code"] == "ValidationError"


@pytest.mark.parametrize(
    "arguments",
    [
        {"EndpointName": "under_score"},
        {"EndpointName": "x" * 64},
        {"EndpointName": "e", "InferenceId": "x" * 65},
        {"EndpointName": "e", "ContentType": "x" * 1025},
        {"EndpointName": "e", "TargetVariant": "no_such"},
    ],
)
def test_a_header_out_of_bounds_is_a_validation_error(emulator: Emulator, arguments: dict[str, str]) -> None:
    _, seen = refusal(emulator, Body=b"x", **arguments)
    assert (seen["code"], seen["status"]) == ("ValidationError", 400)
    assert "1 validation error detected" in seen["message"] or "2 validation errors detected" in seen["message"]


def test_a_variant_that_is_not_there_is_a_validation_error(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    _, seen = refusal(emulator, EndpointName=name, Body=b"x", TargetVariant="Other")
    assert seen["code"] == "ValidationError"
    assert "Other" in seen["message"]


@pytest.mark.parametrize(
    ("header", "value", "complaint"),
    [
        ("TargetModel", "m.tar.gz", "is not a multi-model endpoint and does not support target model header."),
        ("TargetContainerHostname", "c", "is not a multi-container endpoint"),
        ("InferenceComponentName", "part", "Inference Component part of Endpoint "),
    ],
)
def test_a_header_for_another_kind_of_endpoint_is_a_validation_error(
    emulator: Emulator, name: str, header: str, value: str, complaint: str
) -> None:
    emulator.endpoint(name)
    _, seen = refusal(emulator, EndpointName=name, Body=b"x", **{header: value})
    assert (seen["code"], seen["status"]) == ("ValidationError", 400)
    assert complaint in seen["message"]


@pytest.mark.parametrize(("status", "side"), [(400, "client"), (415, "client"), (500, "server"), (503, "server")])
def test_the_models_own_error_is_a_model_error(emulator: Emulator, name: str, status: int, side: str) -> None:
    emulator.endpoint(name)
    error, seen = refusal(emulator, EndpointName=name, Body=f"status {status}".encode())
    assert type(error).__name__ == "ModelError"
    assert (seen["code"], seen["status"]) == ("ModelError", 424)
    assert seen["message"].startswith(
        f'Received {side} error ({status}) from primary with message "no such image". See https://us-east-1.console.'
    )
    assert error.response["OriginalStatusCode"] == status
    assert error.response["OriginalMessage"] == "no such image"
    assert (
        error.response["LogStreamArn"]
        == f"arn:aws:logs:us-east-1:000000000000:log-group:/aws/sagemaker/Endpoints/{name}"
    )


def test_a_body_of_six_megabytes_passes_and_one_byte_more_does_not(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name, sampling=None)
    body = b"x" * (6 * 1024 * 1024)
    runtime = emulator.client("sagemaker-runtime")
    assert runtime.invoke_endpoint(EndpointName=name, Body=body)["Body"].read() == b"[0.93, 0.07]"
    _, seen = refusal(emulator, EndpointName=name, Body=body + b"x")
    assert seen["status"] == 413
    assert seen["message"] == "HTTP content length exceeded 6291456 bytes."


def test_an_empty_body_reaches_the_model(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    runtime = emulator.client("sagemaker-runtime")
    assert runtime.invoke_endpoint(EndpointName=name, Body=b"")["Body"].read() == b"[0.93, 0.07]"


def test_sixteen_clients_are_answered_at_once(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name, model_archive(seconds=3))
    runtime = emulator.client("sagemaker-runtime")
    started = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        responses = list(
            pool.map(lambda _: runtime.invoke_endpoint(EndpointName=name, Body=b"x")["Body"].read(), range(16))
        )
    assert responses == [b"[0.93, 0.07]"] * 16
    assert time.monotonic() - started < 16 * 3 / 2


def test_another_call_of_the_runtime_is_refused_by_its_name(emulator: Emulator, name: str) -> None:
    with pytest.raises(ClientError) as caught:
        emulator.client("sagemaker-runtime").invoke_endpoint_async(EndpointName=name, InputLocation="s3://images/a.png")
    error = {"Code": "UnknownOperationException", "Message": "InvokeEndpointAsync is not emulated."}
    assert caught.value.response["Error"] == error


def test_a_response_stream_has_the_whole_response(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    stream = emulator.client("sagemaker-runtime").invoke_endpoint_with_response_stream
    response = stream(EndpointName=name, Body=b"headers", ContentType="image/png", Accept="text/plain")
    (event,) = response["Body"]
    headers = json.loads(event["PayloadPart"]["Bytes"])
    assert (headers["content-type"], headers["accept"]) == ("image/png", "text/plain")
    assert (response["ContentType"], response["InvokedProductionVariant"]) == ("application/json", "AllTraffic")
    with pytest.raises(ClientError, match="not found"):
        stream(EndpointName=f"{name}-missing", Body=b"x")


def test_a_large_response_is_streamed_in_parts() -> None:
    parser = EventStreamBuffer()
    parser.add_data(payload_parts(bytes(5 * 1024 * 1024 // 2)))
    assert [len(event.payload) for event in parser] == [1024 * 1024, 1024 * 1024, 512 * 1024]
