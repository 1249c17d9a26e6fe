from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from botocore import exceptions as aws
from botocore.client import BaseClient
from botocore.parsers import ResponseParserError
from botocore.response import StreamingBody
from botocore.stub import Stubber
from clients import make_client
from errors import ImageAccessDenied, ImageNotFound, ImageTooLarge, InvalidInput, SerializeError, StorageUnavailable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from s3_stub import S3Stub
from store import MAX_OBJECT_BYTES, ObjectStore, fetch, refusal, spellings


@pytest.fixture(scope="module")
def client() -> BaseClient:
    return make_client()


@pytest.fixture
def stubber(client: BaseClient) -> Iterator[Stubber]:
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture(scope="module")
def local(server: S3Stub) -> Iterator[BaseClient]:
    client = make_client(server.server_port)
    yield client
    client.close()


def holds(stubber: Stubber, key: str, data: bytes) -> None:
    body = StreamingBody(BytesIO(data), len(data))
    stubber.add_response("get_object", {"Body": body, "ContentLength": len(data)}, {"Bucket": "b", "Key": key})


def refuses(stubber: Stubber, key: str, code: str, status: int) -> None:
    stubber.add_client_error("get_object", code, http_status_code=status, expected_params={"Bucket": "b", "Key": key})


class Raising:
    """A store whose connection ends in ``error``."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def get_object(self, *, Bucket: str, Key: str) -> Any:  # noqa: N803
        raise self.error


def test_an_object_comes_back_under_its_own_key(client: ObjectStore, stubber: Stubber) -> None:
    holds(stubber, "in/a.png", b"bytes")
    assert fetch(client, "b", "in/a.png") == ("in/a.png", b"bytes")


@pytest.mark.parametrize(
    ("key", "meanings"),
    [
        ("in/a.png", ["in/a.png"]),
        ("a%20b.png", ["a%20b.png", "a b.png"]),
        ("a+b.png", ["a+b.png", "a b.png"]),
        ("a+b%2Bc.png", ["a+b%2Bc.png", "a b+c.png", "a+b+c.png"]),
        ("%E2%98%83.png", ["%E2%98%83.png", "\u2603.png"]),
        ("100%.png", ["100%.png"]),
        ("%FF.png", ["%FF.png"]),
    ],
)
def test_a_key_may_mean_itself_or_what_it_decodes_to(key: str, meanings: list[str]) -> None:
    assert spellings(key) == meanings


def test_the_literal_key_wins_over_the_decoded_one(client: ObjectStore, stubber: Stubber) -> None:
    holds(stubber, "a%20b.png", b"literal")
    assert fetch(client, "b", "a%20b.png") == ("a%20b.png", b"literal")


@pytest.mark.parametrize(("code", "status"), [("NoSuchKey", 404), ("AccessDenied", 403)])
def test_an_encoded_key_is_found_decoded(code: str, status: int, client: ObjectStore, stubber: Stubber) -> None:
    refuses(stubber, "a%20b.png", code, status)
    holds(stubber, "a b.png", b"decoded")
    assert fetch(client, "b", "a%20b.png") == ("a b.png", b"decoded")


def test_where_no_spelling_is_found_the_key_as_it_came_is_reported(client: ObjectStore, stubber: Stubber) -> None:
    refuses(stubber, "a%20b.png", "NoSuchKey", 404)
    refuses(stubber, "a b.png", "AccessDenied", 403)
    with pytest.raises(ImageNotFound, match=r"^'a%20b\.png' in 'b' does not exist \(S3 responded 404 'NoSuchKey'\)"):
        fetch(client, "b", "a%20b.png")


@pytest.mark.parametrize(
    ("code", "status", "named"),
    [
        ("NoSuchKey", 404, ImageNotFound),
        ("NoSuchBucket", 404, ImageNotFound),
        ("AccessDenied", 403, ImageAccessDenied),
        ("InvalidObjectState", 403, ImageAccessDenied),
        ("PermanentRedirect", 301, ImageAccessDenied),
        ("KMS.DisabledException", 400, ImageAccessDenied),
        ("KeyTooLongError", 400, InvalidInput),
        ("InvalidBucketName", 400, InvalidInput),
        ("InternalError", 500, StorageUnavailable),
        ("ServiceUnavailable", 503, StorageUnavailable),
        ("SlowDown", 503, StorageUnavailable),
        ("TooManyRequests", 429, StorageUnavailable),
        ("SomethingNew", 429, StorageUnavailable),
        ("RequestTimeout", 400, StorageUnavailable),
        ("ExpiredToken", 400, StorageUnavailable),
    ],
)
def test_every_refusal_of_s3_has_a_name(
    code: str, status: int, named: type[SerializeError], client: ObjectStore, stubber: Stubber
) -> None:
    refuses(stubber, "k", code, status)
    with pytest.raises(named, match=f"S3 responded {status} '{code}'") as refusal:
        fetch(client, "b", "k")
    assert type(refusal.value) is named
    assert "'k' in 'b'" in str(refusal.value)


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (aws.EndpointConnectionError(endpoint_url="https://s3", error="refused"), StorageUnavailable),
        (aws.ConnectTimeoutError(endpoint_url="https://s3", error="slow"), StorageUnavailable),
        (aws.ReadTimeoutError(endpoint_url="https://s3", error="slow"), StorageUnavailable),
        (aws.ConnectionClosedError(endpoint_url="https://s3", error="closed"), StorageUnavailable),
        (aws.ResponseStreamingError(error="broken"), StorageUnavailable),
        (aws.IncompleteReadError(actual_bytes=1, expected_bytes=2), StorageUnavailable),
        (aws.FlexibleChecksumError(error_msg="wrong"), StorageUnavailable),
        (ResponseParserError("no XML"), StorageUnavailable),
        (RecursionError("redirected without end"), StorageUnavailable),
        (aws.NoCredentialsError(), ImageAccessDenied),
        (aws.ParamValidationError(report="Invalid bucket name"), InvalidInput),
        (aws.UnsupportedS3ArnError(arn="arn:aws:x"), InvalidInput),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_every_failure_before_an_answer_has_a_name(error: Exception, named: type[SerializeError]) -> None:
    with pytest.raises(named, match="'k' in 'b'") as refusal:
        fetch(Raising(error), "b", "k")
    assert type(refusal.value) is named
    assert refusal.value.__cause__ is error


def test_a_body_that_breaks_off_is_worth_a_retry(client: ObjectStore, stubber: Stubber) -> None:
    body = StreamingBody(BytesIO(b"half"), 8)
    stubber.add_response("get_object", {"Body": body, "ContentLength": 8})
    with pytest.raises(StorageUnavailable, match="4 read, but total bytes expected is 8"):
        fetch(client, "b", "k")


class Untouchable(BytesIO):
    """A body that must be closed unread."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError("the body was read")


def test_the_refusal_of_a_proxy_that_sends_no_code_is_one_of_access() -> None:
    error = aws.ClientError({"ResponseMetadata": {"HTTPStatusCode": 407}}, "GetObject")
    advice = "allow this function s3:GetObject and s3:ListBucket"
    assert str(refusal(error, "'k' in 'b'")) == f"'k' in 'b' denies access (S3 responded 407 ''): {advice}"


def test_an_absurdly_large_object_is_refused_unread(client: ObjectStore, stubber: Stubber) -> None:
    raw = Untouchable()
    size = MAX_OBJECT_BYTES + 1
    stubber.add_response("get_object", {"Body": StreamingBody(raw, size), "ContentLength": size})
    with pytest.raises(ImageTooLarge, match=f"'k' in 'b' has {size} bytes, the limit is {MAX_OBJECT_BYTES}"):
        fetch(client, "b", "k")
    assert raw.closed


def test_an_object_of_exactly_the_limit_is_read(client: ObjectStore, stubber: Stubber) -> None:
    holds(stubber, "k", bytes(MAX_OBJECT_BYTES))
    assert len(fetch(client, "b", "k")[1]) == MAX_OBJECT_BYTES


def test_a_bucket_name_that_botocore_refuses_is_invalid_input(client: ObjectStore) -> None:
    with pytest.raises(InvalidInput, match="Invalid bucket name"):
        fetch(client, "no bucket", "k")


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.integers(301, 599),
    st.binary()
    | st.text().map(str.encode)
    | st.text("abc<>/&;!? ", max_size=30).map(lambda text: b"<Error>" + text.encode()),
)
def test_whatever_s3_or_a_proxy_answers_to_a_failure_has_a_name(
    bucket: S3Stub, local: ObjectStore, status: int, body: bytes
) -> None:
    bucket.failures = [(status, body)]
    with pytest.raises(SerializeError) as refusal:
        fetch(local, "images", "key")
    assert "\n" not in str(refusal.value)
