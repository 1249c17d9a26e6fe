"""The SageMaker runtime as the tests reach it: at a port of this machine, or with responses that are written down."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from endpoint import EndpointRuntime
from settings import Credentials

CREDENTIALS = Credentials("test", "test", None)


def runtime_at(port: int, read_timeout: float = 600) -> EndpointRuntime:
    """Return the SageMaker runtime at ``port`` of this machine."""
    return EndpointRuntime(
        URLLib3Session(timeout=(60, read_timeout)), "us-east-1", CREDENTIALS, f"http://127.0.0.1:{port}"
    )


def recorded(*responses: AWSResponse | Exception) -> EndpointRuntime:
    """Return a SageMaker runtime that answers, or raises, ``responses`` in turn."""
    return EndpointRuntime(Recorded(*responses), "us-east-1", CREDENTIALS, "https://runtime.sagemaker")


class Recorded:
    """An HTTP session that keeps each request and answers ``responses`` in turn, or raises them."""

    def __init__(self, *responses: AWSResponse | Exception) -> None:
        self.responses = [*responses]
        self.requests: list[AWSPreparedRequest] = []

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Answer the next response."""
        self.requests.append(request)
        response = self.responses.pop(0)
        if isinstance(response, Exception):
            raise response
        return response


class Body(BytesIO):
    """A body as urllib3 hands it on."""

    def stream(self, **_: object) -> Any:
        """Yield all of it."""
        yield self.read()


def response(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> AWSResponse:
    """Return a response of SageMaker."""
    return AWSResponse("https://runtime.sagemaker", status, headers or {}, Body(body))
