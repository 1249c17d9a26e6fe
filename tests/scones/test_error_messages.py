import errno
import os

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from core.errors import SconesError
from scones.error_messages import EXPECTED, sentence


def test_an_error_of_aws_that_repeats_a_request_is_cut() -> None:
    error = ClientError({"Error": {"Code": "InternalError", "Message": "long \n" * 30_000}}, "DeleteObjects")
    message = sentence(error)
    assert message.startswith("An error occurred (InternalError) when calling the DeleteObjects operation: long long")
    assert (len(message) <= 501, message[-1]) == (True, "…")


def test_a_sentence_of_ours_is_whole_and_one_line() -> None:
    assert sentence(SconesError("a\n" * 1000)) == ("a " * 1000).strip()


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOENT, "correct the path"), (errno.EEXIST, "choose a path at which there is no file"),
        (errno.EROFS, "choose another path"), (errno.EACCES, "change its permissions or choose another path"),
        (errno.ENOSPC, "free some space or choose another directory"), (errno.EISDIR, "specify a file"),
    ],
)  # fmt: skip
def test_a_path_is_named_with_the_systems_reason_and_the_remedy(number: int, remedy: str) -> None:
    assert sentence(OSError(number, os.strerror(number), "out/f")) == f"out/f: {os.strerror(number)}: {remedy}"


def test_a_permission_that_is_none_of_a_file_has_no_remedy_of_one() -> None:
    assert sentence(PermissionError(errno.EACCES, "Permission denied")) == "[Errno 13] Permission denied"


def test_an_endpoint_on_aws_that_does_not_respond_may_be_of_another_region() -> None:
    error = EndpointConnectionError(endpoint_url="https://s3.mars-1.amazonaws.com/")
    assert isinstance(error, EXPECTED)
    assert "check the region" in sentence(error)


def test_an_error_without_a_text_is_named() -> None:
    assert sentence(OSError()) == "OSError"
