"""S3 as the environment of a function describes it."""

from typing import Any, cast

import pytest
import s3_objects
from errors import ImageAccessDenied
from settings import Credentials, credentials, endpoint_url, region

LAMBDA = {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", *LAMBDA):
        monkeypatch.delenv(name, raising=False)


def test_the_environment_of_lambda_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in LAMBDA.items():
        monkeypatch.setenv(name, value)
    made = s3_objects.s3.__wrapped__()
    assert (made.region, made.credentials, made.endpoint_url) == ("eu-west-1", Credentials("a", "b", "c"), None)


def test_it_gives_up_before_the_function_does(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in LAMBDA.items():
        monkeypatch.setenv(name, value)
    timeout = cast(Any, s3_objects.s3.__wrapped__().session)._timeout
    assert (timeout.connect_timeout, timeout.read_timeout) == (s3_objects.CONNECT_TIMEOUT, s3_objects.READ_TIMEOUT)
    assert s3_objects.ATTEMPTS * (s3_objects.CONNECT_TIMEOUT + s3_objects.READ_TIMEOUT) + 3 < 60


def test_s3_is_reached_through_the_proxy_unless_its_host_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    proxies = {"HTTPS_PROXY": "http://proxy:3128", "HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "localstack"}
    for name, value in (LAMBDA | proxies).items():
        monkeypatch.setenv(name, value)
        monkeypatch.delenv(name.lower(), raising=False)

    def proxy(url: str) -> Any:
        return cast(Any, s3_objects.s3.__wrapped__().session)._proxy_config.proxy_url_for(url)

    assert proxy("https://images.s3.eu-west-1.amazonaws.com/a.png") == "http://proxy:3128"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://localstack:4566")
    assert proxy("http://localstack:4566/images/a.png") is None
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://minio:9000")
    assert proxy("http://minio:9000/images/a.png") == "http://proxy:3128"


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_without_credentials_access_is_denied_and_the_remedy_named(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in LAMBDA.items():
        monkeypatch.setenv(name, "" if name == missing else value)
    with pytest.raises(ImageAccessDenied, match=r"^S3 was not read: this function has no credentials, set its role$"):
        s3_objects.s3.__wrapped__()


def test_what_is_not_set_has_a_default() -> None:
    assert region({}) == region({"AWS_REGION": ""}) == "us-east-1"
    assert credentials({**LAMBDA, "AWS_SESSION_TOKEN": ""}) == Credentials("a", "b", None)
    assert endpoint_url({}) is None


def test_s3s_own_url_goes_before_the_general_one() -> None:
    assert endpoint_url({"AWS_ENDPOINT_URL": "http://X/"}) == "http://X"
    assert endpoint_url({"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_S3": "http://s3"}) == "http://s3"
