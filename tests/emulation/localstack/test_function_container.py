"""The parts of the plugin that need no LocalStack: what an answer means, whose container it is, the queue before it."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from emulation.localstack.scones_localstack.errors import ContainerBusy, ContainerUnreachable
from emulation.localstack.scones_localstack.function_container import FunctionContainer
from emulation.localstack.scones_localstack.host_protocol import FunctionConfiguration
from tests.emulation.lambda_hosts import install_probe, lambda_host

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
        status, response = self.server.script(self.path, body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(response)))
        self.end_headers()
        self.wfile.write(response)

    def do_PUT(self) -> None:
        self.do_POST()

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002


@contextmanager
def serving(
    script: Callable[[str, bytes], InvokeResponse], queue_timeout: float = 5
) -> Iterator[tuple[FakeContainer, FunctionContainer]]:
    with FakeContainer(script) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server, FunctionContainer(f"http://127.0.0.1:{server.server_port}", queue_timeout)
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
        names = [configuration["function_name"] for configuration in server.configurations()]
        assert names == ["one", "two", "one"]
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

    with serving(busy, queue_timeout=0.2) as (_, container), pytest.raises(ContainerBusy, match="was busy"):
        container.invoke(b"{}", "r", ONE)


def test_a_turn_that_does_not_come_is_given_up() -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold(path: str, body: bytes) -> InvokeResponse:
        entered.set()
        leave.wait(600)
        return 200, body

    with serving(hold, queue_timeout=0.2) as (_, container):
        first = threading.Thread(target=container.invoke, args=(b"{}", "r", ONE))
        first.start()
        entered.wait(600)
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


def test_a_host_that_was_started_again_between_two_invocations_is_configured_again(tmp_path: Path) -> None:
    service = install_probe(tmp_path / "service")
    with lambda_host(service, tmp_path / "first") as (first, _):
        container = FunctionContainer(first.url)
        container.configure(ONE)
    with lambda_host(service, tmp_path / "second") as (second, _):
        container.url = second.url
        assert (
            b"0.9" in container.invoke(b'{"do": "variable", "variable": "THRESHOLD"}', str(uuid.uuid4()), ONE).payload
        )
