"""The same events go to our host and to AWS's own Runtime Interface Emulator; the answers must be the same."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.emulation.lambda_hosts import INVOKE, LambdaEndpoint, install_probe, lambda_host

pytestmark = [pytest.mark.docker, pytest.mark.skipif(shutil.which("docker") is None, reason="no Docker here")]

IMAGE = "public.ecr.aws/lambda/python:3.13"
VARIABLES = {"AWS_LAMBDA_FUNCTION_TIMEOUT": "3", "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"}
ACTS = [
    *("echo", "fail", "chain", "nothing", "bare", "nan", "bytes", "not-text", "raw-bytes"),
    *("set", "object", "decimal", "circular", "pair-keys", "text"),
]
EVENTS = {
    **{act: json.dumps({"do": act}).encode() for act in ACTS},
    "unknown": b'{"do": "whatever"}',
    "a string": b'"text"',
    "a list": b"[1, 2]",
    "null": b"null",
    "nothing at all": b"",
    "half an object": b"{",
    "not a number": b"NaN",
    "broken text": b'{"a": "\xff"}',
    "too large an event": b'{"x": "' + b"y" * (6 * 1024 * 1024 + 200) + b'"}',
    "just small enough a result": b'{"do": "large", "size": %d}' % (6 * 1024 * 1024 + 98),
    "too large a result": b'{"do": "large", "size": %d}' % (6 * 1024 * 1024 + 99),
    "an exit": b'{"do": "exit", "status": 3}',
    "a hard exit": b'{"do": "quit", "status": 4}',
    "a signal": b'{"do": "signal"}',
}
BROKEN_MODULES = {
    "missing import": "import no_such_module",
    "syntax error": "def handler(event, context) return 1",
    "error": "raise RuntimeError('no')",
    "no handler": "handle = print",
}


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LambdaEndpoint]:
    yield from _container(install_probe(tmp_path_factory.mktemp("task") / "probe"))


def _container(service: Path) -> Iterator[LambdaEndpoint]:
    """A real Lambda container around a service."""
    variables = [f"--env={name}={value}" for name, value in VARIABLES.items()]
    created = _docker("create", "--publish=127.0.0.1::8080", *variables, IMAGE, "handler.handler")
    try:
        _docker("cp", f"{service}/.", f"{created}:/var/task")
        _docker("start", created)
        endpoint = LambdaEndpoint(f"http://{_docker('port', created, '8080').splitlines()[0]}")
        _await_listening(endpoint)
        yield endpoint
    finally:
        _docker("rm", "--force", "--volumes", created)


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()  # noqa: S607


def _await_listening(endpoint: LambdaEndpoint) -> None:
    for _ in range(100):
        try:
            httpx.get(endpoint.url, timeout=600)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the container does not listen")


def _said(response: httpx.Response) -> tuple[int, Any]:
    """What was answered, without what differs from run to run: request ids, folders, the library's frames."""
    try:
        value = response.json()
    except ValueError:
        return response.status_code, response.text
    if isinstance(value, dict) and "errorType" in value:
        request_id = value.pop("requestId", None)
        assert request_id is None or request_id == "" or len(request_id) == 36
        value["stackTrace"] = [_frame(frame) for frame in value.get("stackTrace", []) if "handler.py" in frame]
        value["errorMessage"] = " ".join(word for word in value["errorMessage"].split() if len(word) != 36)
    return response.status_code, json.dumps(value, sort_keys=True)


def _frame(frame: str) -> str:
    before, _, after = frame.partition('"')
    return before + Path(after.partition('"')[0]).name + after.partition('"')[2]


def test_a_timeout_gets_the_same_answer(host: LambdaEndpoint, container: LambdaEndpoint) -> None:
    host.configure(timeout=3)
    try:
        event = b'{"do": "sleep", "seconds": 3600}'
        assert _said(host.post(event)) == _said(container.post(event))
    finally:
        host.configure(timeout=900)


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS.keys())
def test_an_event_gets_the_same_answer(host: LambdaEndpoint, container: LambdaEndpoint, event: bytes) -> None:
    assert _said(host.post(event)) == _said(container.post(event))


@pytest.mark.parametrize("source", BROKEN_MODULES.values(), ids=BROKEN_MODULES.keys())
def test_a_module_that_cannot_be_imported_gets_the_same_answer(tmp_path: Path, source: str) -> None:
    service = tmp_path / "service"
    service.mkdir()
    (service / "handler.py").write_text(source)
    with lambda_host(service, tmp_path / "log") as (host, _):
        ours = _said(host.post(b"{}"))
    for container in _container(service):
        assert ours == _said(container.post(b"{}"))


def test_only_our_host_takes_a_configuration(host: LambdaEndpoint, container: LambdaEndpoint) -> None:
    assert container.configure().status_code == 404
    assert httpx.post(f"{host.url}/other{INVOKE}", content=b"{}").status_code == 404
    assert httpx.post(f"{container.url}/other{INVOKE}", content=b"{}").status_code == 404
