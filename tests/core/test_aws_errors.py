import pytest
from botocore.exceptions import ClientError

from core.aws_errors import error_code, is_throttled


@pytest.mark.parametrize(
    ("response", "code", "throttled"),
    [
        ({"Error": {"Code": "ThrottlingException"}}, "ThrottlingException", True),
        ({"Error": {"Code": "NoSuchKey"}}, "NoSuchKey", False),
        ({"Error": {}}, "", False),
        ({}, "", False),
    ],
)
def test_the_code_is_that_of_the_response(response: dict[str, dict[str, str]], code: str, throttled: bool) -> None:
    error = ClientError(response, "DescribeExecution")
    assert (error_code(error), is_throttled(error)) == (code, throttled)
