import json

import pytest
from botocore import exceptions as aws
from clients import recorded, response, runtime_at
from endpoint import EndpointRuntime, invoke
from endpoint_stub import Answer, EndpointStub, failure
from errors import (
    ClassifyError,
    EndpointAccessDenied,
    EndpointNotFound,
    EndpointRejectedImage,
    EndpointTimeout,
    EndpointUnavailable,
)


@pytest.fixture(scope="module")
def local(server: EndpointStub) -> EndpointRuntime:
    return runtime_at(server.server_port)


def test_the_image_is_sent_as_it_is_and_json_asked_for(endpoint: EndpointStub, local: EndpointRuntime) -> None:
    endpoint.answer = Answer(b"[1, 0]", attributes="probably-neither=false")
    assert invoke(local, "vehicles", b"image", "image/png", "4f2b") == (b"[1, 0]", "probably-neither=false")
    ((path, headers, body),) = endpoint.requests
    assert (path, body) == ("/endpoints/vehicles/invocations", b"image")
    assert headers["content-type"] == "image/png"
    assert headers["accept"] == "application/json"
    assert headers["user-agent"] == "scones-classify"
    assert headers["x-amzn-sagemaker-inference-id"] == "4f2b"


def test_without_a_request_id_there_is_no_inference_id(endpoint: EndpointStub, local: EndpointRuntime) -> None:
    assert invoke(local, "v", b"i", "image/jpeg") == (b"[0.97, 0.03]", "")
    assert "x-amzn-sagemaker-inference-id" not in endpoint.requests[0][1]


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
    code: str, status: int, message: str, named: type[ClassifyError], endpoint: EndpointStub, local: EndpointRuntime
) -> None:
    endpoint.answer = failure(code, status, Message=message)
    with pytest.raises(named, match=f"SageMaker responded {status} '{code}', '{message}'") as refusal:
        invoke(local, "vehicles", b"image", "image/png")
    assert type(refusal.value) is named
    assert "endpoint 'vehicles'" in str(refusal.value)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"[" * 100_000, b"{}"], ids=["", "html", "list", "deep", "{}"])
@pytest.mark.parametrize(
    ("status", "named"),
    [
        (403, EndpointAccessDenied),
        (301, EndpointRejectedImage),
        (424, EndpointRejectedImage),
        (503, EndpointUnavailable),
    ],
)
def test_a_refusal_that_says_nothing_of_itself_goes_by_its_status(
    status: int, named: type[ClassifyError], body: bytes
) -> None:
    with pytest.raises(named, match=f"SageMaker responded {status} '', ''"):
        invoke(recorded(response(status, body)), "vehicles", b"image", "image/png")


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        ({"X-Amzn-ErrorType": "ThrottlingException:http://internal.amazon.com/coral/"}, {"message": "Rate exceeded"}),
        ({}, {"__type": "com.amazon.coral.availability#ThrottlingException", "Message": "Rate exceeded"}),
    ],
)
def test_code_and_message_are_read_in_each_of_their_spellings(headers: dict[str, str], fields: dict[str, str]) -> None:
    with pytest.raises(EndpointUnavailable, match="SageMaker responded 400 'ThrottlingException', 'Rate exceeded'"):
        invoke(recorded(response(400, json.dumps(fields).encode(), headers)), "vehicles", b"image", "image/png")


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
        (aws.HTTPClientError(error="broken"), EndpointUnavailable),
        (aws.ReadTimeoutError(endpoint_url="https://sm", error="slow"), EndpointTimeout),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_every_failure_before_an_answer_has_a_name(error: Exception, named: type[ClassifyError]) -> None:
    with pytest.raises(named, match=r"^endpoint 'vehicles' .*try again") as refusal:
        invoke(recorded(error), "vehicles", b"image", "image/png")
    assert type(refusal.value) is named
    assert refusal.value.__cause__ is error
