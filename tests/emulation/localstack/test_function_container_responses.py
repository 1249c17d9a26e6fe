"""A container's HTTP response becomes the response of the Lambda service."""

import json

import pytest

from emulation.localstack.scones_localstack.function_container import read_invoke_response

REPORT = {"errorMessage": "no", "errorType": "ImageNotFound", "requestId": "1", "stackTrace": []}


def test_a_result_is_passed_on_as_it_is() -> None:
    response = read_invoke_response(200, b'{"label": "bicycle", "x": NaN}', "r")
    assert (response.payload, response.is_error) == (b'{"label": "bicycle", "x": NaN}', False)


def test_an_exception_is_told_by_its_shape_alone() -> None:
    assert read_invoke_response(200, json.dumps(REPORT).encode(), "r").is_error
    assert not read_invoke_response(200, json.dumps(REPORT | {"label": "bicycle"}).encode(), "r").is_error
    assert not read_invoke_response(200, b'{"errorType": "ImageNotFound"}', "r").is_error


def test_a_timeout_is_named_as_lambda_names_it() -> None:
    response = read_invoke_response(200, b"Task timed out after 3.00 seconds", "r-1")
    assert response.is_error
    assert json.loads(response.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: r-1 Error: Task timed out after 3.00 seconds",
    }


def test_a_text_result_that_speaks_of_a_timeout_is_a_result() -> None:
    assert not read_invoke_response(200, b'"Task timed out after 3.00 seconds"', "r").is_error


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"errorType":"Runtime.ExitError","errorMessage":"gone"}', "Runtime.ExitError"),
        (b'{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"6 MB"}', "Function.ResponseSizeTooLarge"),
        (json.dumps(REPORT | {"errorType": "Runtime.ImportModuleError"}).encode(), "Runtime.ImportModuleError"),
        (b"", "Runtime.ExitError"),
    ],
)
def test_a_bad_gateway_is_an_error_under_its_own_name(body: bytes, kind: str) -> None:
    response = read_invoke_response(502, body, "r")
    assert response.is_error
    assert json.loads(response.payload)["errorType"] == kind


def test_an_answer_nobody_expects_is_an_error_that_shows_it() -> None:
    response = read_invoke_response(500, b"<html>oops</html>", "r")
    assert response.is_error
    assert "HTTP 500: <html>oops</html>" in json.loads(response.payload)["errorMessage"]
    assert "HTTP 404" in json.loads(read_invoke_response(404, b"[1]", "r").payload)["errorMessage"]
