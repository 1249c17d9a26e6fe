from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import pytest
from botocore import exceptions as aws
from botocore.client import BaseClient
from botocore.response import StreamingBody
from botocore.stub import Stubber
from clients import make_client
from endpoint import EndpointRuntime, invoke
from endpoint_stub import EndpointStub, failure
from errors import (
    ClassifyError,
    EndpointAccessDenied,
    EndpointNotFound,
    EndpointRejectedImage,
    EndpointTimeout,
    EndpointUnavailable,
    InvalidConfiguration,
)


@pytest.fixture(scope="module")
def client() -> BaseClient:
    return make_client()


@pytest.fixture
def stubber(client: BaseClient) -> Iterator[Stubber]:
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def local(endpoint: EndpointStub) -> Iterator[BaseClient]:
    client = make_client(endpoint.server_port)
    yield client
    client.close()


class Raising:
    """A runtime whose connection ends in ``error``."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def invoke_endpoint(self, **parameters: str | bytes) -> Mapping[str, Any]:
        raise self.error


def test_the_image_is_sent_as_it_is_and_json_asked_for(client: EndpointRuntime, stubber: Stubber) -> None:
    body = StreamingBody(BytesIO(b"[1, 0]"), 6)
    expected = {
        "EndpointName": "vehicles",
        "ContentType": "image/png",
        "Accept": "application/json",
        "Body": b"image",
        "InferenceId": "4f2b",
    }
    stubber.add_response("invoke_endpoint", {"Body": body}, expected)
    assert invoke(client, "vehicles", b"image", "image/png", "4f2b") == (b"[1, 0]", "")


def test_without_a_request_id_there_is_no_inference_id(client: EndpointRuntime, stubber: Stubber) -> None:
    expected = {"EndpointName": "v", "ContentType": "image/jpeg", "Accept": "application/json", "Body": b"i"}
    stubber.add_response("invoke_endpoint", {"Body": StreamingBody(BytesIO(b"[1, 0]"), 6)}, expected)
    assert invoke(client, "v", b"i", "image/jpeg") == (b"[1, 0]", "")


NOT_FOUND = "Endpoint vehicles of account 123456789012 not found."


@pytest.mark.parametrize(
    ("code", "status", "message", "named"),
    [
        ("ValidationError", 400, NOT_FOUND, EndpointNotFound),
        ("ValidationError", 400, "Variant blue was Not Found", EndpointNotFound),
        ("ValidationError", 400, "1 validation error detected", EndpointRejectedImage),
        ("ModelNotReadyException", 429, "", EndpointUnavailable),
        ("ServiceUnavailable", 503, "", EndpointUnavailable),
        ("InternalFailure", 500, "", EndpointUnavailable),
        ("InternalDependencyException", 530, "", EndpointUnavailable),
        ("ThrottlingException", 400, "Rate exceeded", EndpointUnavailable),
        ("ThrottlingException", 429, "Rate exceeded", EndpointUnavailable),
        ("ExpiredTokenException", 403, "", EndpointUnavailable),
        ("AccessDeniedException", 400, "", EndpointAccessDenied),
        ("AccessDeniedException", 403, "", EndpointAccessDenied),
        ("UnrecognizedClientException", 403, "", EndpointAccessDenied),
        ("Unauthorized", 401, "", EndpointAccessDenied),
        ("413", 413, "", EndpointRejectedImage),
    ],
)
def test_every_refusal_of_sagemaker_has_a_name(
    code: str, status: int, message: str, named: type[ClassifyError], client: EndpointRuntime, stubber: Stubber
) -> None:
    stubber.add_client_error("invoke_endpoint", code, message, http_status_code=status)
    with pytest.raises(named, match=f"SageMaker responded {status} '{code}', '{message}'") as refusal:
        invoke(client, "vehicles", b"image", "image/png")
    assert type(refusal.value) is named
    assert "endpoint 'vehicles'" in str(refusal.value)


@pytest.mark.parametrize(("status", "named"), [(424, EndpointRejectedImage), (503, EndpointUnavailable)])
def test_a_refusal_that_says_nothing_of_itself_goes_by_its_status(status: int, named: type[ClassifyError]) -> None:
    silent = aws.ClientError({"ResponseMetadata": {"HTTPStatusCode": status}}, "InvokeEndpoint")  # type: ignore[typeddict-item]
    with pytest.raises(named, match=f"SageMaker responded {status} '', ''"):
        invoke(Raising(silent), "vehicles", b"image", "image/png")


@pytest.mark.parametrize(
    ("original", "named"),
    [
        (400, EndpointRejectedImage),
        (413, EndpointRejectedImage),
        (415, EndpointRejectedImage),
        (499, EndpointRejectedImage),
        (408, EndpointUnavailable),
        (429, EndpointUnavailable),
        (500, EndpointUnavailable),
        (503, EndpointUnavailable),
        (0, EndpointUnavailable),
        (None, EndpointUnavailable),
    ],
)
def test_an_error_of_the_model_is_told_by_its_containers_status(
    original: int | None, named: type[ClassifyError], endpoint: EndpointStub, local: EndpointRuntime
) -> None:
    endpoint.answer = failure("ModelError", 424, OriginalStatusCode=original, OriginalMessage="cannot identify\nimage")
    with pytest.raises(
        named, match=rf"^endpoint 'vehicles' .*its container responded {original or 0} 'cannot identify\\nimage'"
    ) as refusal:
        invoke(local, "vehicles", b"image", "image/png")
    assert type(refusal.value) is named


def test_an_error_of_the_model_without_a_message_is_told_without_one(
    endpoint: EndpointStub, local: EndpointRuntime
) -> None:
    endpoint.answer = failure("ModelError", 424)._replace(body=b'{"OriginalStatusCode": 500}')
    with pytest.raises(EndpointUnavailable, match=r"\(its container responded 500 ''\)"):
        invoke(local, "vehicles", b"image", "image/png")


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (aws.EndpointConnectionError(endpoint_url="https://sm", error="refused"), EndpointUnavailable),
        (aws.ConnectTimeoutError(endpoint_url="https://sm", error="slow"), EndpointUnavailable),
        (aws.ConnectionClosedError(endpoint_url="https://sm", error="closed"), EndpointUnavailable),
        (aws.ResponseStreamingError(error="broken"), EndpointUnavailable),
        (aws.IncompleteReadError(actual_bytes=1, expected_bytes=2), EndpointUnavailable),
        (aws.ReadTimeoutError(endpoint_url="https://sm", error="slow"), EndpointTimeout),
        (aws.NoCredentialsError(), EndpointAccessDenied),
        (aws.ParamValidationError(report="too long"), InvalidConfiguration),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_every_failure_before_an_answer_has_a_name(error: Exception, named: type[ClassifyError]) -> None:
    with pytest.raises(named, match="endpoint 'vehicles'") as refusal:
        invoke(Raising(error), "vehicles", b"image", "image/png")
    assert type(refusal.value) is named
    assert refusal.value.__cause__ is error
