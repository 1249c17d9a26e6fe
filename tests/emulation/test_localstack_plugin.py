"""The parts of the plugin that need no LocalStack: what an answer means, whose container it is, the queue before it."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from emulation.localstack.scones_localstack.errors import ContainerBusy, ContainerUnreachable, UnknownFunction
from emulation.localstack.scones_localstack.function_container import FunctionConfiguration, FunctionContainer
from emulation.localstack.scones_localstack.function_containers import FunctionContainers, function_of
from emulation.localstack.scones_localstack.invoke_response import read_invoke_response

REPORT = {"errorMessage": "no", "errorType": "ImageNotFound", "requestId": "1", "stackTrace": []}


def test_a_result_is_passed_on_as_it_is() -> None:
    answer = read_invoke_response(200, b'{"label": "bicycle", "x": NaN}', "r")
    assert (answer.payload, answer.is_error) == (b'{"label": "bicycle", "x": NaN}', False)


def test_an_exception_is_told_by_its_shape_alone() -> None:
    assert read_invoke_response(200, json.dumps(REPORT).encode(), "r").is_error
    assert not read_invoke_response(200, json.dumps(REPORT | {"label": "bicycle"}).encode(), "r").is_error
    assert not read_invoke_response(200, b'{"errorType": "ImageNotFound"}', "r").is_error


def test_a_timeout_is_named_as_lambda_names_it() -> None:
    answer = read_invoke_response(200, b"Task timed out after 3.00 seconds", "r-1")
    assert answer.is_error
    assert json.loads(answer.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: r-1 Error: Task timed out after 3.00 seconds",
    }


def test_a_text_result_that_speaks_of_a_timeout_is_a_result() -> None:
    assert not read_invoke_response(200, b'"Task timed out after 3.00 seconds"', "r").is_error


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"errorType":"Runtime.ExitError","errorMessage":"gone"}', "Runtime.ExitError"),
        (b'{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"6 MB"}', "Function.ResponseSizeTooLarge"),
        (json.dumps(REPORT | {"errorType": "Runtime.ImportModuleError"}).encode(), "Runtime.ImportModuleError"),
        (b"", "Runtime.ExitError"),
    ],
)
def test_a_bad_gateway_is_an_error_under_its_own_name(body: bytes, kind: str) -> None:
    answer = read_invoke_response(502, body, "r")
    assert answer.is_error
    assert json.loads(answer.payload)["errorType"] == kind


def test_an_answer_nobody_expects_is_an_error_that_shows_it() -> None:
    answer = read_invoke_response(500, b"<html>oops</html>", "r")
    assert answer.is_error
    assert "HTTP 500: <html>oops</html>" in json.loads(answer.payload)["errorMessage"]
    assert "HTTP 404" in json.loads(read_invoke_response(404, b"[1]", "r").payload)["errorMessage"]


@pytest.mark.parametrize(
    "image",
    [
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/scones/serialize:sha-1234",
        "localhost:5000/scones/serialize",
        "scones/serialize@sha256:" + "0" * 64,
        "serialize:latest",
    ],
)
def test_a_function_is_named_by_the_last_part_of_its_repository(image: str) -> None:
    assert function_of(image) == "serialize"


def test_containers_are_listed_by_name() -> None:
    containers = FunctionContainers("serialize=http://127.0.0.1:1/, classify=http://classify:8080")
    assert containers.for_image("x/serialize:1").url == "http://127.0.0.1:1"
    assert containers.for_image("x/classify:1").url == "http://classify:8080"
    assert containers.for_image("x/classify:2") is containers.for_image("y/classify")


def test_an_image_without_a_container_is_named_with_those_that_have_one() -> None:
    with pytest.raises(UnknownFunction, match=r"'filter' \(image x/filter:1\).*names: serialize"):
        FunctionContainers("serialize=http://127.0.0.1:1").for_image("x/filter:1")
    with pytest.raises(UnknownFunction, match="names: none"):
        FunctionContainers("").for_image("x/filter:1")


InvokeResponse = tuple[int, bytes]


class FakeContainer(ThreadingHTTPServer):
    """Answers what ``script`` says and remembers what it was sent."""

    daemon_threads = True

    def __init__(self, script: Callable[[str, bytes], InvokeResponse]) -> None:
        self.script = script
        self.received: list[tuple[str, bytes]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    def configurations(self) -> list[Any]:
        return [json.loads(body) for path, body in self.received if path == "/environment"]


class _Handler(BaseHTTPRequestHandler):
    server: FakeContainer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.received.append((self.path, body))
        status, answer = self.server.script(self.path, body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_PUT(self) -> None:
        self.do_POST()

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002


@contextmanager
def serving(
    script: Callable[[str, bytes], InvokeResponse], patience: float = 5
) -> Iterator[tuple[FakeContainer, FunctionContainer]]:
    with FakeContainer(script) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server, FunctionContainer(f"http://127.0.0.1:{server.server_port}", patience)
        finally:
            server.shutdown()
            thread.join()


def echo(path: str, body: bytes) -> InvokeResponse:
    return (404, b"404 page not found") if path == "/environment" else (200, body)


ONE = FunctionConfiguration("one", 3, 128, {"THRESHOLD": "0.9"})
TWO = FunctionConfiguration("two", 3, 128, {"THRESHOLD": "0.5"})


def test_an_invocation_is_posted_and_its_answer_returned() -> None:
    with serving(echo) as (_, container):
        assert container.invoke(b'{"s3_key": "k"}', "r", ONE).payload == b'{"s3_key": "k"}'


def test_a_container_is_told_its_configuration_once_and_again_only_when_it_changes() -> None:
    with serving(echo) as (server, container):
        container.configure(ONE)
        for configuration in (ONE, ONE, TWO, TWO, ONE):
            container.invoke(b"{}", "r", configuration)
        told = [configuration["function_name"] for configuration in server.configurations()]
        assert told == ["one", "two", "one"]
        assert server.configurations()[0] == {
            "function_name": "one",
            "timeout": 3,
            "memory_size": 128,
            "variables": {"THRESHOLD": "0.9"},
        }


def test_one_invocation_at_a_time_however_many_come() -> None:
    inside, most, guard = [0], [0], threading.Lock()

    def count(path: str, body: bytes) -> InvokeResponse:
        if path != "/environment":
            with guard:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0.02)
            with guard:
                inside[0] -= 1
        return 200, body

    with serving(count) as (_, container):
        callers = [threading.Thread(target=container.invoke, args=(b"{}", "r", ONE)) for _ in range(12)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    assert most == [1]


def test_a_container_that_serves_somebody_else_is_waited_for() -> None:
    refusals = iter([(400, b"")] * 3)
    with serving(lambda path, body: next(refusals, (200, body)) if "invocations" in path else (204, b"")) as (
        _,
        container,
    ):
        assert container.invoke(b'"mine"', "r", ONE).payload == b'"mine"'


def test_a_container_that_stays_busy_is_given_up() -> None:
    def busy(path: str, _body: bytes) -> InvokeResponse:
        return (204, b"") if path == "/environment" else (400, b"")

    with serving(busy, patience=0.2) as (_, container), pytest.raises(ContainerBusy, match="was busy"):
        container.invoke(b"{}", "r", ONE)


def test_a_turn_that_does_not_come_is_given_up() -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold(path: str, body: bytes) -> InvokeResponse:
        entered.set()
        leave.wait(5)
        return 200, body

    with serving(hold, patience=0.2) as (_, container):
        first = threading.Thread(target=container.invoke, args=(b"{}", "r", ONE))
        first.start()
        entered.wait(5)
        with pytest.raises(ContainerBusy, match="two waited"):
            container.invoke(b"{}", "r", TWO)
        leave.set()
        first.join()


def test_a_container_that_is_not_there_is_unreachable() -> None:
    with serving(echo) as (_, container):
        pass
    with pytest.raises(ContainerUnreachable, match=container.url):
        container.invoke(b"{}", "r", ONE)


def test_a_container_that_was_away_is_told_its_configuration_again() -> None:
    with serving(echo) as (server, container):
        container.configure(ONE)
    with pytest.raises(ContainerUnreachable):
        container.invoke(b"{}", "r", ONE)
    with serving(echo) as (server, _):
        container.url = f"http://127.0.0.1:{server.server_port}"
        container.invoke(b"{}", "r", ONE)
        assert server.configurations()[0]["function_name"] == "one"
