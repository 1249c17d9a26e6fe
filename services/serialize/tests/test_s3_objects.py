from io import BytesIO
from typing import Any

import pytest
from botocore import exceptions as aws
from clients import CREDENTIALS, Recorded, response, store_at
from errors import ImageAccessDenied, ImageNotFound, ImageTooLarge, InvalidInput, SerializeError, StorageUnavailable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from s3_objects import ATTEMPTS, MAX_OBJECT_BYTES, ObjectStore, fetch, spellings
from s3_stub import S3Stub, failure
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import IncompleteRead, LocationParseError, ReadTimeoutError


@pytest.fixture(scope="module")
def local(server: S3Stub) -> ObjectStore:
    return store_at(server.server_port)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    return slept


def recorded(*responses: Any) -> ObjectStore:
    return ObjectStore(Recorded(*responses), "us-east-1", CREDENTIALS)


def test_an_object_comes_back_under_its_own_key(bucket: S3Stub, local: ObjectStore) -> None:
    bucket.objects["b-1", "in/a.png"] = b"bytes"
    assert fetch(local, "b-1", "in/a.png") == ("in/a.png", b"bytes")


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


def test_the_literal_key_wins_over_the_decoded_one(bucket: S3Stub, local: ObjectStore) -> None:
    bucket.objects["b-1", "a%20b.png"] = b"literal"
    bucket.objects["b-1", "a b.png"] = b"decoded"
    assert fetch(local, "b-1", "a%20b.png") == ("a%20b.png", b"literal")


@pytest.mark.parametrize(("code", "status"), [("NoSuchKey", 404), ("AccessDenied", 403)])
def test_an_encoded_key_is_found_decoded(code: str, status: int, bucket: S3Stub, local: ObjectStore) -> None:
    bucket.objects["b-1", "a b.png"] = b"decoded"
    bucket.failures = [failure(status, code)]
    assert fetch(local, "b-1", "a%20b.png") == ("a b.png", b"decoded")


def test_where_no_spelling_is_found_the_key_as_it_came_is_reported(bucket: S3Stub, local: ObjectStore) -> None:
    bucket.failures = [failure(404, "NoSuchKey"), failure(403, "AccessDenied")]
    with pytest.raises(ImageNotFound, match=r"^'a%20b\.png' in 'b-1' does not exist \(S3 responded 404 'NoSuchKey'\)"):
        fetch(local, "b-1", "a%20b.png")


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
    code: str, status: int, named: type[SerializeError], bucket: S3Stub, local: ObjectStore, pauses: list[float]
) -> None:
    attempts = ATTEMPTS if named is StorageUnavailable else 1
    bucket.failures = [failure(status, code)] * attempts
    with pytest.raises(named, match=f"S3 responded {status} '{code}'") as refusal:
        fetch(local, "b-1", "k")
    assert type(refusal.value) is named
    assert "'k' in 'b-1'" in str(refusal.value)
    assert len(bucket.paths) == attempts == len(pauses) + 1


ERRORS = [
    aws.EndpointConnectionError(endpoint_url="https://s3", error="refused"),
    aws.ConnectTimeoutError(endpoint_url="https://s3", error="slow"),
    aws.ReadTimeoutError(endpoint_url="https://s3", error="slow"),
    aws.ConnectionClosedError(endpoint_url="https://s3", error="closed"),
    aws.HTTPClientError(error="broken"),
    LocationParseError("https://s3"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_connection_that_fails_is_tried_three_times_and_named(error: Exception, pauses: list[float]) -> None:
    with pytest.raises(StorageUnavailable, match=r"^'k' in 'b-1' could not be read: .*; try again$") as refusal:
        fetch(recorded(error, error, error), "b-1", "k")
    assert refusal.value.__cause__ is error
    assert [0 <= pause <= longest for pause, longest in zip(pauses, (1, 2), strict=True)] == [True, True]


def test_a_stumble_is_outlived(pauses: list[float]) -> None:
    assert fetch(recorded(ERRORS[0], response(503), response(200, b"bytes")), "b-1", "k") == ("k", b"bytes")
    assert len(pauses) == 2


class Torn(BytesIO):
    """A body whose connection ends in ``error``."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def read(self, size: int | None = -1, /) -> bytes:
        raise self.error


@pytest.mark.parametrize(
    "error",
    [IncompleteRead(4, 4), ReadTimeoutError(HTTPConnectionPool("s3"), "/k", "slow")],
    ids=lambda error: type(error).__name__,
)
def test_a_body_that_breaks_off_is_worth_a_retry(error: Exception, pauses: list[float]) -> None:
    torn = response(200, b"whole")
    torn.raw = Torn(error)
    assert fetch(recorded(torn, response(200, b"whole")), "b-1", "k") == ("k", b"whole")


def test_a_body_that_ends_early_is_worth_a_retry(pauses: list[float]) -> None:
    short = [response(200, b"half", {"content-length": "8"}) for _ in range(ATTEMPTS)]
    with pytest.raises(StorageUnavailable, match=r"'k' in 'b-1' could not be read: 4 of 8 bytes arrived; try again"):
        fetch(recorded(*short), "b-1", "k")


def test_a_length_that_is_no_number_is_a_failure_of_the_connection(pauses: list[float]) -> None:
    odd = [response(200, b"x", {"content-length": "x"}) for _ in range(ATTEMPTS)]
    with pytest.raises(StorageUnavailable, match="invalid literal"):
        fetch(recorded(*odd), "b-1", "k")


def test_the_refusal_of_a_proxy_that_sends_no_code_is_one_of_access() -> None:
    advice = "allow this function s3:GetObject and s3:ListBucket"
    with pytest.raises(ImageAccessDenied) as refusal:
        fetch(recorded(response(407, b"<html>")), "b-1", "k")
    assert str(refusal.value) == f"'k' in 'b-1' denies access (S3 responded 407 ''): {advice}"


class Untouchable(BytesIO):
    """A body that must be closed unread."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError("the body was read")


def test_an_absurdly_large_object_is_refused_unread() -> None:
    size = MAX_OBJECT_BYTES + 1
    large = response(200, headers={"content-length": str(size)})
    large.raw = Untouchable()
    with pytest.raises(ImageTooLarge, match=f"'k' in 'b-1' has {size} bytes, the limit is {MAX_OBJECT_BYTES}"):
        fetch(recorded(large), "b-1", "k")
    assert large.raw.closed


def test_an_object_of_exactly_the_limit_is_read() -> None:
    assert len(fetch(recorded(response(200, bytes(MAX_OBJECT_BYTES))), "b-1", "k")[1]) == MAX_OBJECT_BYTES


@pytest.mark.parametrize(
    "name",
    [
        "", "no bucket", "a/b", "a@evil.example", "a#b", "a?b", "b" * 256, "arn:aws:s3:::bucket",
        "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap",
        "arn:aws:s3-object-lambda:us-east-1:123456789012:accesspoint/a",
    ],
)  # fmt: skip
def test_a_name_that_no_bucket_has_is_invalid_input(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"^s3_bucket must be a bucket's name or an access point's ARN, got "):
        fetch(recorded(), name, "k")


def test_a_bucket_of_another_region_is_read_there() -> None:
    moved = response(301, failure(301, "PermanentRedirect")[1], {"x-amz-bucket-region": "eu-west-1"})
    session = Recorded(moved, response(200, b"bytes"))
    assert fetch(ObjectStore(session, "us-east-1", CREDENTIALS), "b-1", "k") == ("k", b"bytes")
    assert [request.url for request in session.requests] == [
        "https://b-1.s3.us-east-1.amazonaws.com/k",
        "https://b-1.s3.eu-west-1.amazonaws.com/k",
    ]
    assert b"/eu-west-1/s3/aws4_request" in session.requests[1].headers["Authorization"].encode()
    assert {request.headers["User-Agent"] for request in session.requests} == {"scones-serialize"}
    assert moved.raw.closed


@pytest.mark.parametrize("region", ["us-east-1", "evil.example/?"])
def test_a_redirect_to_nowhere_else_is_refused(region: str) -> None:
    moved = response(301, failure(301, "PermanentRedirect")[1], {"x-amz-bucket-region": region})
    with pytest.raises(ImageAccessDenied, match="S3 responded 301 'PermanentRedirect'"):
        fetch(recorded(moved), "b-1", "k")


def test_a_bucket_that_moves_for_ever_is_asked_twice() -> None:
    moved = [response(301, headers={"x-amz-bucket-region": region}) for region in ("eu-west-1", "eu-west-2")]
    with pytest.raises(ImageAccessDenied):
        fetch(recorded(*moved), "b-1", "k")


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.integers(301, 599),
    st.binary()
    | st.text().map(str.encode)
    | st.text("abc<>/&;!? ", max_size=30).map(lambda text: b"<Error>" + text.encode()),
)
def test_whatever_s3_or_a_proxy_answers_to_a_failure_has_a_name(
    bucket: S3Stub, local: ObjectStore, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    bucket.failures = [(status, body)] * ATTEMPTS
    with pytest.raises(SerializeError) as refusal:
        fetch(local, "images", "key")
    assert "\n" not in str(refusal.value)
