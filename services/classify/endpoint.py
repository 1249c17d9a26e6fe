"""Invokes the endpoint and translates its failures into the errors of this state."""

from typing import Any

from botocore import exceptions as aws
from botocore.parsers import ResponseParserError
from client import EndpointRuntime
from errors import (
    ClassifyError,
    EndpointAccessDenied,
    EndpointNotFound,
    EndpointRejectedImage,
    EndpointTimeout,
    EndpointUnavailable,
    InvalidConfiguration,
    quoted,
)

_NO_CREDENTIALS = (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError)
_UNREACHABLE = (aws.ConnectionError, aws.HTTPClientError, aws.IncompleteReadError)
# What botocore's parser raises for an error that is not a JSON object, as a proxy may send one.
_UNREADABLE = (ResponseParserError, AttributeError, TypeError, LookupError, ValueError)
# Transient errors that have the status of a client error.
_TRANSIENT = frozenset({"ThrottlingException", "Throttling", "RequestTimeout", "ExpiredTokenException", "ExpiredToken"})
_TRANSIENT_STATUS = frozenset({408, 429})


def invoke(
    runtime: EndpointRuntime, endpoint: str, image: bytes, content_type: str, inference_id: str = ""
) -> tuple[bytes, str]:
    """Return the endpoint's response to an image, and its custom attributes. Raises a ClassifyError."""
    name = f"endpoint {quoted(endpoint)}"
    optional = {"InferenceId": inference_id} if inference_id else {}
    try:
        response = runtime.invoke_endpoint(
            EndpointName=endpoint, ContentType=content_type, Accept="application/json", Body=image, **optional
        )
        body: bytes = response["Body"].read()
    except aws.ClientError as error:
        raise refusal(error, name) from error
    except aws.ReadTimeoutError as error:
        raise EndpointTimeout(f"{name} did not respond in time: try again, or check its latency") from error
    except _UNREACHABLE as error:
        raise EndpointUnavailable(f"{name} could not be reached: {quoted(str(error))}; try again") from error
    except _NO_CREDENTIALS as error:
        raise EndpointAccessDenied(f"{name} was not invoked: this function has no credentials, set its role") from error
    except _UNREADABLE as error:
        raise EndpointUnavailable(f"{name} returned an unreadable error: try again, or check the endpoint") from error
    except aws.BotoCoreError as error:
        raise InvalidConfiguration(f"{name} cannot be invoked: {quoted(str(error))}; correct ENDPOINT_NAME") from error
    return body, str(response.get("CustomAttributes", ""))


def refusal(error: aws.ClientError, name: str) -> ClassifyError:
    """Return the error of this state for SageMaker's, by its code, its HTTP status and the container's status."""
    response: dict[str, Any] = {**error.response}
    details = response.get("Error", {})  # a proxy's response may have none
    code, status = str(details.get("Code", "")), response["ResponseMetadata"]["HTTPStatusCode"]
    message = str(details.get("Message", ""))
    reason = f"SageMaker responded {status} {quoted(code)}, {quoted(message)}"
    if code == "ModelError":
        return model_error(response, name)
    if status >= 500 or status in _TRANSIENT_STATUS or code in _TRANSIENT:
        return EndpointUnavailable(f"{name} is unavailable ({reason}): try again")
    if code == "ValidationError" and "not found" in message.lower():
        return EndpointNotFound(f"{name} does not exist ({reason}): deploy it, or correct ENDPOINT_NAME")
    if status in {401, 403} or "AccessDenied" in code:
        return EndpointAccessDenied(f"{name} denies access ({reason}): allow this function sagemaker:InvokeEndpoint")
    return EndpointRejectedImage(f"{name} rejected the request ({reason}): check the image")


def model_error(response: dict[str, Any], name: str) -> ClassifyError:
    """Return the error of this state for one of the model's container: 4xx is the image's fault, others are not."""
    original = response.get("OriginalStatusCode")
    status, message = original if isinstance(original, int) else 0, str(response.get("OriginalMessage", ""))
    reason = f"its container responded {status} {quoted(message)}"
    if 400 <= status < 500 and status not in _TRANSIENT_STATUS:
        return EndpointRejectedImage(f"{name} cannot read the image ({reason}): check the image")
    return EndpointUnavailable(f"{name} failed ({reason}): try again, or check its log")
