"""Web pages of other origins get nothing from the emulators: not by forms, not by plain text, not by DNS rebinding."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from emulation.localstack.scones_localstack.request_guard import RequestGuard
from emulation.localstack.scones_localstack.settings import ALLOWED_HOSTS_VARIABLE
from emulation.processes.environment_state import EnvironmentState
from emulation.sagemaker.guarded_app import GuardedApp
from emulation.session import LocalSession
from tests.emulation.fakes.s3 import fake_s3
from tests.emulation.lambda_hosts import INVOKE, LambdaEndpoint
from tests.emulation.sagemaker.emulator import Emulator

FOREIGN = [
    {"Host": "evil.example:28080"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "localhost.evil.example:8080"},
    {"Host": "127.0.0.1:8080@evil.example"},
    {"Host": "0.0.0.0:8080"},
    {"Host": "169.254.169.254"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "https://app.localstack.cloud"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]
OWN = [
    {},
    {"Host": "127.0.0.1:8080"},
    {"Host": "[::1]:8080"},
    {"Host": "LOCALHOST"},
    {"Host": "bucket.s3.localhost.localstack.cloud:4566"},
    {"Host": "bucket.localhost:4566"},
    {"Host": "localhost:4566", "Origin": "http://localhost:4566", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
]
# A server that refuses a request closes the connection: each request has its own.
CLIENT = httpx.Client(timeout=600, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
"""One for all requests: each reads the certificates of authorities, which takes 20 ms."""
SIMPLE = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
"""What a page may send to another origin without asking; no type at all where the body is a Blob."""


def refusal(guard: RequestGuard, headers: dict[str, str]) -> str | None:
    return guard.refusal(headers.get("Host"), headers.get("Origin"), headers.get("Sec-Fetch-Site"))


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_foreign_names_and_origins_are_refused(headers: dict[str, str]) -> None:
    assert refusal(RequestGuard(), {"Host": "127.0.0.1:8080", **headers})


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_what_comes_from_this_machine_passes(headers: dict[str, str]) -> None:
    assert refusal(RequestGuard(), headers) is None


def test_other_names_are_allowed_by_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ALLOWED_HOSTS_VARIABLE, " sagemaker , 10.0.0.7 ")
    guard = RequestGuard.from_settings()
    assert refusal(guard, {"Host": "sagemaker:8080"}) is None
    assert refusal(guard, {"Host": "10.0.0.7:8080"}) is None
    assert refusal(guard, {"Host": "127.0.0.1"}) is None
    assert refusal(guard, {"Host": "localstack:4566"})
    monkeypatch.delenv(ALLOWED_HOSTS_VARIABLE)
    assert refusal(RequestGuard.from_settings(), {"Host": "sagemaker:8080"})


def guarded(method: str, path: str, **request: Any) -> httpx.Response:
    """Send a request through the guard to an application that takes everything."""

    async def answer(_: object) -> PlainTextResponse:
        return PlainTextResponse("reached")

    methods = ["GET", "POST", "PUT", "DELETE"]
    app = GuardedApp(Starlette(routes=[Route("/{path:path}", answer, methods=methods)]), RequestGuard(), "us-east-1")

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8080") as client:
            return await client.request(method, path, **request)

    return asyncio.run(ask())


@pytest.mark.parametrize("content_type", SIMPLE)
@pytest.mark.parametrize("path", ["/", "/schedules/x1", "/_scones/faults"])
def test_what_a_page_may_send_unasked_is_no_type_of_content_here(path: str, content_type: str) -> None:
    response = guarded("POST", path, content=b"{}", headers={"Content-Type": content_type} if content_type else {})
    assert (response.status_code, response.headers["x-amzn-errortype"]) == (415, "UnsupportedMediaTypeException")
    assert "Content-Type" in response.json()["message"]


def test_aws_types_pass_and_invocations_take_any() -> None:
    json_1_1 = {"Content-Type": "application/x-amz-json-1.1; charset=utf-8"}
    assert guarded("POST", "/", content=b"{}", headers=json_1_1).text == "reached"
    assert guarded("POST", "/schedules/x1", json={}).text == "reached"
    assert guarded("DELETE", "/schedules/x1").text == "reached"
    assert guarded("POST", "/endpoints/e/invocations", content=b"x", headers={"Content-Type": "text/plain"}).text


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with fake_s3() as s3:
        running = Emulator(tmp_path_factory.mktemp("guard") / "state", s3, ("--stub-model", "--faults"))
        running.start(SCONES_ALLOWED_HOSTS="sagemaker")
        yield running
        running.stop()


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize(
    ("method", "path", "content_type"),
    [
        ("POST", "/", "application/x-amz-json-1.1"),
        ("POST", "/schedules/x1", "application/json"),
        ("PUT", "/_scones/faults", "application/json"),
        ("POST", "/endpoints/e/invocations", "image/png"),
        ("GET", "/_scones/health", "application/json"),
        ("OPTIONS", "/schedules/x1", "application/json"),
    ],
)
def test_the_sagemaker_emulator_refuses_foreign_requests_on_every_path(
    emulator: Emulator, method: str, path: str, content_type: str, headers: dict[str, str]
) -> None:
    response = CLIENT.request(method, emulator.url + path, headers={"Content-Type": content_type, **headers})
    assert (response.status_code, response.headers["x-amzn-errortype"]) == (403, "AccessDeniedException")
    assert response.json()["__type"] == "AccessDeniedException"
    assert not [name for name in response.headers if name.startswith("access-control-")]


def test_the_sagemaker_emulator_is_called_by_its_name_in_compose(emulator: Emulator) -> None:
    headers = {"Host": "sagemaker:8080"}
    assert CLIENT.get(emulator.url + "/_scones/health", headers=headers).json()["status"] == "ok"


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize(("method", "path"), [("POST", INVOKE), ("PUT", "/environment"), ("GET", "/health")])
def test_a_lambda_host_refuses_foreign_requests(
    host: LambdaEndpoint, method: str, path: str, headers: dict[str, str]
) -> None:
    response = CLIENT.request(method, host.url + path, content=b'{"do": "echo"}', headers=headers)
    assert (response.status_code, response.json()["errorType"]) == (403, "AccessDeniedException")
    assert host.do("echo") == {"do": "echo"}


@pytest.fixture(scope="module")
def s3(session: LocalSession) -> Any:
    client = session.client("s3")
    client.create_bucket(Bucket="images")
    return client


def upload(url: str, headers: dict[str, str]) -> httpx.Response:
    """What a browser sends for a form of S3's: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html"""
    return CLIENT.post(f"{url}/images", data={"key": "evil"}, files={"file": b"x"}, headers=headers)


def send(url: str, headers: dict[str, str]) -> httpx.Response:
    call = {"X-Amz-Target": "AmazonSQS.CreateQueue", "Content-Type": "application/x-amz-json-1.0"}
    return CLIENT.post(url, content=json.dumps({"QueueName": "evil"}), headers={**call, **headers})


@pytest.mark.integration
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_localstack_refuses_foreign_requests_in_the_services_own_form(
    stack: EnvironmentState, session: LocalSession, s3: Any, headers: dict[str, str]
) -> None:
    calls: list[tuple[Callable[[str, dict[str, str]], httpx.Response], str]] = [
        (upload, "<Code>AccessDenied</Code>"),
        (send, '"__type": "AccessDeniedException"'),
    ]
    for call, form in calls:
        response = call(stack.localstack_url, headers)
        assert response.status_code == 403
        assert form in response.text
        assert not [name for name in response.headers if name.startswith("access-control-")]
    assert CLIENT.get(f"{stack.localstack_url}/_localstack/health", headers=headers).status_code == 403
    assert s3.list_objects_v2(Bucket="images")["KeyCount"] == 0
    assert "QueueUrls" not in session.client("sqs").list_queues(QueueNamePrefix="evil")


@pytest.mark.integration
def test_localstack_takes_a_form_that_no_page_sent_and_virtual_hosts(stack: EnvironmentState, s3: Any) -> None:
    assert upload(stack.localstack_url, {}).status_code == 204
    response = CLIENT.get(f"{stack.localstack_url}/evil", headers={"Host": "images.s3.localhost.localstack.cloud:4566"})
    assert response.content == b"x"
    s3.delete_object(Bucket="images", Key="evil")
