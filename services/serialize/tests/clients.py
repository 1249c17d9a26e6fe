"""S3 as the tests reach it: at a port of this machine, or with responses that are written down."""

from collections.abc import Mapping
from io import BytesIO

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from s3_objects import ObjectStore
from settings import Credentials

CREDENTIALS = Credentials("test", "test", None)


def store_at(port: int) -> ObjectStore:
    """Return S3 at ``port`` of this machine, with a time-out that no test reaches."""
    return ObjectStore(URLLib3Session(timeout=600), "us-east-1", CREDENTIALS, f"http://127.0.0.1:{port}")


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


def response(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> AWSResponse:
    """Return a response of S3."""
    return AWSResponse("https://s3", status, {"content-length": str(len(body)), **(headers or {})}, BytesIO(body))
