"""Invokes the endpoint, translates its failures into the errors of this state, and reads its prediction.

``sdk/``, which the image build writes with ``slim_sdk``, is the part of botocore's data that InvokeEndpoint needs with
credentials from the environment, as on Lambda. Where it is missing, botocore uses its own.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast

import botocore.session
import settings
from botocore import exceptions as aws
from botocore.config import Config
from botocore.exceptions import NoRegionError
from botocore.loaders import Loader
from botocore.parsers import ResponseParserError
from errors import (
    ClassifyError,
    EndpointAccessDenied,
    EndpointNotFound,
    EndpointRejectedImage,
    EndpointTimeout,
    EndpointUnavailable,
    InvalidConfiguration,
    MalformedInference,
    quoted,
)

CONNECT_TIMEOUT = 3
READ_TIMEOUT = 30
_SDK = Path(__file__).with_name("sdk")
_NO_CREDENTIALS = (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError)
_UNREACHABLE = (aws.ConnectionError, aws.HTTPClientError, aws.IncompleteReadError)
# What botocore's parser raises for an error that is not a JSON object, as a proxy may send one.
_UNREADABLE = (ResponseParserError, AttributeError, TypeError, LookupError, ValueError)
# Transient errors that have the status of a client error.
_TRANSIENT = frozenset({"ThrottlingException", "Throttling", "RequestTimeout", "ExpiredTokenException", "ExpiredToken"})
_TRANSIENT_STATUS = frozenset({408, 429})
LABELS = 2
SUM_TOLERANCE = 1e-3
_ADVICE = "check the endpoint's model"


class EndpointRuntime(Protocol):
    """The operation of the SageMaker runtime client that this function uses."""

    def invoke_endpoint(self, **parameters: str | bytes) -> Mapping[str, Any]:
        """Return the response's metadata and its body, a stream."""
        ...


@cache
def sagemaker_runtime() -> EndpointRuntime:
    """Return the client; it makes one attempt a call, because the state machine retries."""
    session = botocore.session.Session()
    if _SDK.is_dir():
        session.register_component("data_loader", Loader([str(_SDK)], include_default_search_paths=False))
    config = Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": 1},
        tcp_keepalive=True,
    )
    try:
        client = session.create_client("sagemaker-runtime", region_name=settings.region(), config=config)
    except NoRegionError as error:
        raise InvalidConfiguration("AWS_REGION is not set: set it, as Lambda does") from error
    return cast(EndpointRuntime, client)


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


def parse_probably_neither(attributes: str) -> bool | None:
    """Return whether the model takes the image for neither, from its custom attributes, or None if it does not say."""
    return {"probably-neither=true": True, "probably-neither=false": False}.get(attributes)


def parse_probabilities(body: bytes) -> list[float]:
    """Return the probability of each label, from ``[0.9, 0.1]`` or the JSON line ``{"prediction": [0.9, 0.1]}``."""
    try:
        prediction = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedInference(f"the endpoint's response of {len(body)} bytes is not JSON: {_ADVICE}") from error
    if isinstance(prediction, dict):
        prediction = prediction.get("prediction")
    if not isinstance(prediction, list) or len(prediction) != LABELS:
        actual = f"a list of {len(prediction)}" if isinstance(prediction, list) else quoted(prediction)
        raise MalformedInference(f"the endpoint must return two probabilities, got {actual}: {_ADVICE}")
    for index, value in enumerate(prediction):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:  # NaN is in no range
            raise MalformedInference(f"probability {index} must be in 0..1, got {quoted(value)}: {_ADVICE}")
    if abs(sum(prediction) - 1) > SUM_TOLERANCE:
        raise MalformedInference(f"the probabilities must sum to 1 within {SUM_TOLERANCE}, got {prediction}: {_ADVICE}")
    return [float(value) for value in prediction]
