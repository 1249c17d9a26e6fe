"""One InvokeEndpoint call, and what its failures mean to the state machine."""

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
# What botocore's parser makes of an error that is no JSON object, as a proxy may send one.
_UNREADABLE = (ResponseParserError, AttributeError, TypeError, LookupError, ValueError)
# Refusals that pass by themselves although their status blames the caller.
_PASSING = frozenset({"ThrottlingException", "Throttling", "RequestTimeout", "ExpiredTokenException", "ExpiredToken"})
_PASSING_STATUS = frozenset({408, 429})


def invoke(runtime: EndpointRuntime, endpoint: str, image: bytes, content_type: str, inference_id: str = "") -> bytes:
    """Return what ``endpoint`` answers to ``image``, or raise the named error for its failure."""
    name = f"endpoint {quoted(endpoint)}"
    optional = {"InferenceId": inference_id} if inference_id else {}
    try:
        answer = runtime.invoke_endpoint(
            EndpointName=endpoint, ContentType=content_type, Accept="application/json", Body=image, **optional
        )
        body: bytes = answer["Body"].read()
    except aws.ClientError as error:
        raise refusal(error, name) from error
    except aws.ReadTimeoutError as error:
        raise EndpointTimeout(f"{name} did not answer in time: try again, or look at its latency") from error
    except _UNREACHABLE as error:
        raise EndpointUnavailable(f"{name} could not be reached: {quoted(str(error))}; try again") from error
    except _NO_CREDENTIALS as error:
        raise EndpointAccessDenied(f"{name} was not asked, this function has no credentials: set its role") from error
    except _UNREADABLE as error:
        raise EndpointUnavailable(f"{name} answered an error that cannot be read: try again, or look at it") from error
    except aws.BotoCoreError as error:
        raise InvalidConfiguration(f"{name} cannot be asked: {quoted(str(error))}; correct ENDPOINT_NAME") from error
    return body


def refusal(error: aws.ClientError, name: str) -> ClassifyError:
    """Return what SageMaker's ``error`` means, by its code, its HTTP status and the container's own status."""
    response: dict[str, Any] = {**error.response}
    told = response.get("Error", {})  # a proxy's answer need not have one
    code, status = str(told.get("Code", "")), response["ResponseMetadata"]["HTTPStatusCode"]
    message = str(told.get("Message", ""))
    said = f"SageMaker answered {status} {quoted(code)}, {quoted(message)}"
    if code == "ModelError":
        return model_error(response, name)
    if status >= 500 or status in _PASSING_STATUS or code in _PASSING:
        return EndpointUnavailable(f"{name} did not answer ({said}): try again")
    if code == "ValidationError" and "not found" in message.lower():
        return EndpointNotFound(f"there is no {name} ({said}): deploy it, or correct ENDPOINT_NAME")
    if status in {401, 403} or "AccessDenied" in code:
        return EndpointAccessDenied(f"{name} is refused ({said}): allow this function sagemaker:InvokeEndpoint on it")
    return EndpointRejectedImage(f"{name} refused the request ({said}): look at the image")


def model_error(response: dict[str, Any], name: str) -> ClassifyError:
    """Return what an error of the model's own container means: 4xx blames the image, all else the container."""
    original = response.get("OriginalStatusCode")
    status, message = original if isinstance(original, int) else 0, str(response.get("OriginalMessage", ""))
    said = f"its container answered {status} {quoted(message)}"
    if 400 <= status < 500 and status not in _PASSING_STATUS:
        return EndpointRejectedImage(f"{name} cannot read the image ({said}): look at it")
    return EndpointUnavailable(f"{name} failed ({said}): try again, or look at its log")
