"""Invokes the endpoint, translates its failures into the errors of this state, and reads its prediction.

botocore signs and sends the requests, without one of its clients, whose import and creation take most of a cold start:
with one, the first invocation in the container takes 1.27 times as long (medians of 7 starts under the Runtime
Interface Emulator, November 2026). ``tests/test_requests.py`` compares the requests with a client's.
"""

import json
import re
import socket
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import settings
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from botocore.loaders import Loader
from botocore.utils import get_environ_proxies
from errors import (
    ClassifyError,
    EndpointAccessDenied,
    EndpointNotFound,
    EndpointRejectedImage,
    EndpointTimeout,
    EndpointUnavailable,
    MalformedInference,
    quoted,
)
from settings import Credentials

# A small request's body would otherwise wait 40 ms for the acknowledgement of its head, as botocore's client knows.
_AT_ONCE = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
USER_AGENT = "scones-classify"
CONNECT_TIMEOUT = 3
READ_TIMEOUT = 30
# Transient errors that have the status of a client error.
_TRANSIENT = frozenset({"ThrottlingException", "Throttling", "RequestTimeout", "ExpiredTokenException", "ExpiredToken"})
_TRANSIENT_STATUS = frozenset({408, 429})
LABELS = 2
SUM_TOLERANCE = 1e-3
_ADVICE = "check the endpoint's model"


class HttpSession(Protocol):
    """What sends a prepared request: botocore's URLLib3Session."""

    def send(self, request: Any) -> Any:
        """Return the response, a botocore.awsrequest.AWSResponse. Raises a BotoCoreError."""
        ...


@dataclass(frozen=True)
class EndpointRuntime:
    """The SageMaker runtime of one region, at ``url``; one attempt an invocation, because the state machine retries."""

    session: HttpSession
    region: str
    credentials: Credentials
    url: str

    def invoke_endpoint(self, endpoint: str, image: bytes, content_type: str, inference_id: str = "") -> Any:
        """Return the endpoint's response. Raises a BotoCoreError."""
        headers = {"Content-Type": content_type, "Accept": "application/json", "User-Agent": USER_AGENT}
        if inference_id:
            headers["X-Amzn-SageMaker-Inference-Id"] = inference_id
        request = AWSRequest("POST", f"{self.url}/endpoints/{endpoint}/invocations", headers, image)
        SigV4Auth(self.credentials, "sagemaker", self.region).add_auth(request)
        return self.session.send(request.prepare())


@cache
def dns_suffix(region: str) -> str:
    """Return the domain of the partition that a region belongs to, by the list that botocore has of them."""
    partitions = Loader().load_data("partitions")["partitions"]
    suffixes = (each["outputs"]["dnsSuffix"] for each in partitions if re.match(each["regionRegex"], region))
    return next(suffixes, "amazonaws.com")


@cache
def sagemaker_runtime() -> EndpointRuntime:
    """Return the SageMaker runtime as the function's environment names it.

    Raises InvalidConfiguration without a region, and EndpointAccessDenied without credentials.
    """
    region, credentials = settings.region(), settings.credentials()
    if credentials is None:
        raise EndpointAccessDenied("the endpoint was not invoked: this function has no credentials, set its role")
    url = settings.endpoint_url() or f"https://runtime.sagemaker.{region}.{dns_suffix(region)}"
    timeout, proxies = (CONNECT_TIMEOUT, READ_TIMEOUT), get_environ_proxies(url)
    session = URLLib3Session(proxies=proxies, timeout=timeout, socket_options=_AT_ONCE)
    return EndpointRuntime(session, region, credentials, url)


def invoke(
    runtime: EndpointRuntime, endpoint: str, image: bytes, content_type: str, inference_id: str = ""
) -> tuple[bytes, str]:
    """Return the endpoint's response to an image, and its custom attributes. Raises a ClassifyError."""
    name = f"endpoint {quoted(endpoint)}"
    try:
        response = runtime.invoke_endpoint(endpoint, image, content_type, inference_id)
    except ReadTimeoutError as error:
        raise EndpointTimeout(f"{name} did not respond in time: try again, or check its latency") from error
    except BotoCoreError as error:
        raise EndpointUnavailable(f"{name} could not be reached: {quoted(str(error))}; try again") from error
    if response.status_code != 200:
        raise refusal(response, name)
    size, body = response.headers.get("content-length"), response.content
    if size is not None and size != str(len(body)):  # botocore's session does not compare them
        raise EndpointUnavailable(f"{name} sent {len(body)} of {quoted(size)} bytes: try again")
    return body, response.headers.get("x-amzn-sagemaker-custom-attributes", "")


def refusal(response: Any, name: str) -> ClassifyError:
    """Return the error of this state for SageMaker's, by its code, its HTTP status and the container's status."""
    status = response.status_code
    try:
        fields = json.loads(response.content)
    except (ValueError, RecursionError):  # a proxy's response
        fields = {}
    if not isinstance(fields, dict):
        fields = {}
    code = str(response.headers.get("x-amzn-errortype", fields.get("__type", ""))).partition(":")[0].rpartition("#")[2]
    message = str(fields.get("Message", fields.get("message", "")))
    reason = f"SageMaker responded {status} {quoted(code)}, {quoted(message)}"
    if code == "ModelError":
        return model_error(fields, name)
    if status >= 500 or status in _TRANSIENT_STATUS or code in _TRANSIENT:
        return EndpointUnavailable(f"{name} is unavailable ({reason}): try again")
    if code == "ValidationError" and "not found" in message.lower():
        return EndpointNotFound(f"{name} does not exist ({reason}): deploy it, or correct ENDPOINT_NAME")
    if status in {401, 403} or "AccessDenied" in code:
        return EndpointAccessDenied(f"{name} denies access ({reason}): allow this function sagemaker:InvokeEndpoint")
    return EndpointRejectedImage(f"{name} rejected the request ({reason}): check the image")


def model_error(fields: dict[str, Any], name: str) -> ClassifyError:
    """Return the error of this state for one of the model's container: 4xx is the image's fault, others are not."""
    original = fields.get("OriginalStatusCode")
    status, message = original if isinstance(original, int) else 0, str(fields.get("OriginalMessage", ""))
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
