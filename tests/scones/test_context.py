import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from botocore.exceptions import ProxyConnectionError

from scones.context import aws_session, open_session, retry_new_role
from scones.errors import RegionDiffers, WebPageReturned
from scones.settings import Settings, Target


@pytest.fixture(autouse=True)
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile with its own region, and no other region in the environment."""
    (tmp_path / "config").write_text("[profile depot]\nregion = eu-north-1\n[profile bare]\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


def region() -> str:
    session = aws_session(Settings.from_environment({"SCONES_TARGET": Target.AWS}))
    assert session.client("s3").meta.region_name == session.region_name
    return str(session.region_name)


def test_the_region_is_the_profiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "depot")
    assert region() == "eu-north-1"


def test_the_environments_region_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "depot")
    settings = Settings.from_environment({"SCONES_TARGET": Target.AWS, "AWS_REGION": "ap-south-1"})
    assert aws_session(settings).region_name == "ap-south-1"


def test_without_any_region_it_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "bare")
    assert region() == "us-east-1"


def test_every_client_retries_throttling_adaptively() -> None:
    config = aws_session(Settings()).client("stepfunctions").meta.config
    assert (config.retries["mode"], config.retries["total_max_attempts"]) == ("adaptive", 10)


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_another_region_than_the_local_environments_is_refused(name: str, started_in_us_east_1: Path) -> None:
    home = str(started_in_us_east_1)
    with pytest.raises(RegionDiffers, match=r"runs in us-east-1, .* is eu-west-1: unset it, or run `scones down`"):
        open_session(Settings.from_environment({"SCONES_HOME": home, name: "eu-west-1"}))
    assert open_session(Settings.from_environment({"SCONES_HOME": home, name: "us-east-1"})).region_name == "us-east-1"


def test_without_a_region_it_is_the_local_environments(started_in_us_east_1: Path) -> None:
    settings = Settings.from_environment({"SCONES_HOME": str(started_in_us_east_1)})
    assert open_session(settings).region_name == "us-east-1"


def test_without_a_local_environment_the_region_is_the_settings(tmp_path: Path) -> None:
    settings = Settings.from_environment({"SCONES_HOME": str(tmp_path), "AWS_REGION": "eu-west-1"})
    assert open_session(settings).region_name == "eu-west-1"


COULD_NOT_ASSUME = [
    ("ValidationException", "Could not assume role arn:aws:iam::1:role/r. Please ensure that the role exists"),
    ("ValidationException", "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."),
    ("ValidationError", "Role arn:aws:iam::1:role/r is invalid or cannot be assumed"),
]


@pytest.mark.parametrize(("code", "message"), COULD_NOT_ASSUME)
def test_a_role_that_has_just_been_created_is_waited_for(code: str, message: str) -> None:
    refused = (None, {"Error": {"Code": code, "Message": message}})
    assert retry_new_role(refused, attempts=1) == 3.0
    assert retry_new_role(refused, attempts=10) is None


@pytest.mark.parametrize("response", [None, (None, {}), (None, {"Error": {"Code": "ValidationError", "Message": "x"}})])
def test_everything_else_is_left_to_botocore(response: object) -> None:
    assert retry_new_role(response, attempts=1) is None


class Page(BaseHTTPRequestHandler):
    """A proxy that answers for AWS, with a page."""

    def do_POST(self) -> None:
        self.send_response(403)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<html><h1>Access denied by policy</h1></html>")

    do_GET = do_POST  # noqa: N815 - as the base class calls it

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def page() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("service", "operation"), [("sts", "get_caller_identity"), ("s3", "list_buckets"), ("sagemaker", "list_models")]
)
def test_a_web_page_instead_of_awss_response_is_named(service: str, operation: str, page: str) -> None:
    client = aws_session(Settings()).client(service, endpoint_url=page)
    with pytest.raises(WebPageReturned, match=r"returned a web page \(status 403\).*HTTPS_PROXY"):
        getattr(client, operation)()


def test_a_proxy_that_refuses_is_tried_twice(monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    monkeypatch.setenv("https_proxy", page)
    monkeypatch.setenv("no_proxy", "")
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    with pytest.raises(ProxyConnectionError):
        aws_session(Settings()).client("sts").get_caller_identity()
    assert len(waits) <= 1
