"""The SageMaker runtime as the environment of a function describes it."""

import socket
from typing import Any, cast

import endpoint
import pytest
from errors import EndpointAccessDenied, InvalidConfiguration
from settings import Credentials, credentials, endpoint_url

LAMBDA = {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c"}


@pytest.fixture
def lambda_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in LAMBDA.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_the_environment_of_lambda_is_read(lambda_environment: pytest.MonkeyPatch) -> None:
    made = endpoint.sagemaker_runtime.__wrapped__()
    assert (made.region, made.credentials) == ("eu-west-1", Credentials("a", "b", "c"))
    assert made.url == "https://runtime.sagemaker.eu-west-1.amazonaws.com"


def test_it_gives_up_before_the_function_does(lambda_environment: pytest.MonkeyPatch) -> None:
    timeout = cast(Any, endpoint.sagemaker_runtime.__wrapped__().session)._timeout
    assert (timeout.connect_timeout, timeout.read_timeout) == (endpoint.CONNECT_TIMEOUT, endpoint.READ_TIMEOUT)
    assert endpoint.CONNECT_TIMEOUT + endpoint.READ_TIMEOUT < 60


def test_a_small_request_waits_for_no_acknowledgement(lambda_environment: pytest.MonkeyPatch) -> None:
    options = cast(Any, endpoint.sagemaker_runtime.__wrapped__().session)._socket_options
    assert (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) in options


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_without_credentials_access_is_denied_and_the_remedy_named(
    missing: str, lambda_environment: pytest.MonkeyPatch
) -> None:
    lambda_environment.setenv(missing, "")
    with pytest.raises(EndpointAccessDenied) as refusal:
        endpoint.sagemaker_runtime.__wrapped__()
    assert str(refusal.value) == "the endpoint was not invoked: this function has no credentials, set its role"


def test_without_a_region_it_says_what_to_set(lambda_environment: pytest.MonkeyPatch) -> None:
    lambda_environment.delenv("AWS_REGION")
    with pytest.raises(InvalidConfiguration, match=r"^AWS_REGION is not set: set it, as Lambda does$"):
        endpoint.sagemaker_runtime.__wrapped__()


def test_a_session_token_and_a_url_may_be_missing() -> None:
    assert credentials({**LAMBDA, "AWS_SESSION_TOKEN": ""}) == Credentials("a", "b", None)
    assert endpoint_url({}) is None


def test_the_runtimes_own_url_goes_before_the_general_one() -> None:
    own = {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": "http://sagemaker"}
    assert endpoint_url({"AWS_ENDPOINT_URL": "http://all/"}) == "http://all"
    assert endpoint_url({"AWS_ENDPOINT_URL": "http://all", **own}) == "http://sagemaker"
