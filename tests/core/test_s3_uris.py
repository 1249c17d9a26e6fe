import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidS3Uri
from core.s3_uris import S3Uri, is_s3_uri, read_object
from tests.review.fakes import FakeS3


@given(st.text(min_size=1).filter(lambda text: "/" not in text), st.text())
def test_a_uri_is_read_as_it_was_written(bucket: str, key: str) -> None:
    assert S3Uri.parse(str(S3Uri(bucket, key))) == (bucket, key)


def test_a_bucket_alone_has_an_empty_key() -> None:
    assert S3Uri.parse("s3://bucket") == S3Uri.parse("s3://bucket/") == ("bucket", "")


@pytest.mark.parametrize("text", ["", "s3://", "s3:///key", "bucket/key", "https://bucket/key", "S3://bucket/key"])
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidS3Uri, match="s3://bucket/key"):
        S3Uri.parse(text)


def test_what_is_meant_as_a_uri_is_told_from_a_path() -> None:
    assert is_s3_uri("s3://")
    assert not is_s3_uri("./s3/bucket")


def test_an_object_that_does_not_exist_is_none() -> None:
    s3 = FakeS3()
    s3.objects["key"] = b"content"
    assert read_object(s3, S3Uri("bucket", "key")) == b"content"
    assert read_object(s3, S3Uri("bucket", "other")) is None
