"""The host answers as the Runtime Interface Emulator does; ``test_lambda_host_contract`` compares the two."""

import json
import signal
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from emulation.localstack.scones_localstack.host_protocol import LOG_HEADER, LOG_LENGTH_HEADER, REQUEST_ID_HEADER
from tests.emulation.lambda_hosts import INVOKE, LambdaEndpoint, install_probe, lambda_host


def test_a_result_comes_back_as_json(host: LambdaEndpoint) -> None:
    assert host.do("echo", nested={"list": [1, None, "é"]}) == {"do": "echo", "nested": {"list": [1, None, "é"]}}


def test_an_exception_is_named_by_its_class_and_comes_with_200(host: LambdaEndpoint) -> None:
    response = host.post(b'{"do": "fail"}')
    assert response.status_code == 200
    report = response.json()
    assert report.keys() == {"errorMessage", "errorType", "requestId", "stackTrace"}
    assert report["errorType"] == "ThresholdConfidenceNotMet"
    assert report["errorMessage"] == "0.51 is below 0.94: é"
    assert "in fail" in report["stackTrace"][-1]
    assert not any("lambda_runtime" in frame for frame in report["stackTrace"])


@pytest.mark.parametrize("act", ["not-text", "set", "object", "circular", "pair-keys"])
def test_a_result_that_is_no_json_is_a_marshal_error(host: LambdaEndpoint, act: str) -> None:
    report = host.do(act)
    assert report["errorType"] == "Runtime.MarshalError"
    assert report["errorMessage"].startswith("Unable to marshal response: ")


def test_bytes_become_text_decimals_numbers_and_nan_stays_nan(host: LambdaEndpoint) -> None:
    assert host.do("bytes") == {"image_data": "abc"}
    assert host.post(b'{"do": "decimal"}').content == b'{"value": 1.50}'
    assert host.post(b'{"do": "nan"}').content == b'{"value": NaN, "large": Infinity}'
    assert host.post(b'{"do": "raw-bytes"}').content == b'{"raw": true}'


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b'{"a": "\xff"}'])
def test_an_event_that_is_no_json_is_an_unmarshal_error(host: LambdaEndpoint, body: bytes) -> None:
    assert host.post(body).json()["errorType"] == "Runtime.UnmarshalError"


def test_a_process_that_ends_is_a_502_and_the_next_invocation_finds_a_new_one(host: LambdaEndpoint) -> None:
    before = host.do("process")
    response = host.post(b'{"do": "quit", "status": 3}')
    assert response.status_code == 502
    assert response.json()["errorType"] == "Runtime.ExitError"
    assert response.json()["errorMessage"].endswith("Error: Runtime exited with error: exit status 3")
    assert host.do("process") != before


def test_a_process_that_is_killed_is_reported_by_its_signal(host: LambdaEndpoint) -> None:
    assert host.do("signal")["errorMessage"].endswith("Runtime exited with error: signal: killed")


def test_a_warm_process_is_used_again(host: LambdaEndpoint) -> None:
    first = host.do("count")
    assert host.do("count") == first + 1


def test_an_invocation_past_its_time_is_ended_and_said_to_have_timed_out(probe: Path, tmp_path: Path) -> None:
    with lambda_host(probe, tmp_path / "log", "--timeout", "1") as (host, process):
        response = host.post(b'{"do": "sleep", "seconds": 3600}')
        assert (response.status_code, response.text) == (200, "Task timed out after 1.00 seconds")
        assert psutil.Process(process.pid).children() == []
        host.configure(timeout=900)
        assert host.do("echo") == {"do": "echo"}


def test_the_import_of_a_cold_start_does_not_count_towards_the_timeout(tmp_path: Path) -> None:
    service = tmp_path / "service"
    service.mkdir()
    (service / "handler.py").write_text(
        "import time\ntime.sleep(1.5)\n"
        "def handler(event, context): return 0 < context.get_remaining_time_in_millis() <= 1000\n"
    )
    with lambda_host(service, tmp_path / "log", "--timeout", "1") as (host, _):
        assert host.post(b"{}").json() is True


def test_a_response_of_more_than_six_megabytes_is_refused(host: LambdaEndpoint) -> None:
    fits = 6 * 1024 * 1024 + 100 - 2
    assert len(host.do("large", size=fits)) == fits
    response = host.post(b'{"do": "large", "size": %d}' % (fits + 1))
    assert response.status_code == 502
    assert response.json()["errorType"] == "Function.ResponseSizeTooLarge"


def test_a_second_invocation_meanwhile_is_refused_with_an_empty_400(host: LambdaEndpoint, tmp_path: Path) -> None:
    begun, end, responses = tmp_path / "begun", tmp_path / "end", list[Any]()
    slow = threading.Thread(target=lambda: responses.append(host.do("last", begun=str(begun), end=str(end))))
    slow.start()
    while not begun.exists():
        time.sleep(0.01)
    response = host.post(b'{"do": "count"}')
    end.touch()
    slow.join()
    assert (response.status_code, response.content) == (400, b"")
    assert responses == ["ended"]


def test_the_context_tells_the_function_what_it_is(host: LambdaEndpoint) -> None:
    context = host.do("describe")
    assert context["function_name"] == "probe"
    assert context["memory_limit_in_mb"] == "512"
    assert 0 < context["remaining"] <= 900_000
    assert len(context["request_id"]) == 36


def test_the_handler_runs_in_its_own_folder_and_finds_its_own_modules_first(host: LambdaEndpoint, probe: Path) -> None:
    assert host.do("paths") == {"cwd": str(probe), "first": str(probe)}


def test_a_configuration_is_taken_at_once_and_imports_the_handler_anew(probe: Path, tmp_path: Path) -> None:
    with lambda_host(probe, tmp_path / "log") as (host, _):
        first = host.do("process")
        configured = host.configure(variables={"THRESHOLD": "0.5"}, function_name="renamed", memory_size=99)
        assert configured.status_code == 204
        assert host.do("variable", variable="THRESHOLD") == {"now": "0.5", "at_import": "0.5"}
        second = host.do("process")
        assert second != first
        assert host.do("describe")["function_name"] == "renamed"
        host.configure(timeout=1)
        assert host.post(b'{"do": "sleep", "seconds": 3600}').text == "Task timed out after 1.00 seconds"


def test_the_same_configuration_again_changes_nothing(probe: Path, tmp_path: Path) -> None:
    with lambda_host(probe, tmp_path / "log") as (host, _):
        host.configure(variables={"THRESHOLD": "0.5"})
        before = host.do("process")
        host.configure(variables={"THRESHOLD": "0.5"})
        assert host.do("process") == before


def test_a_configuration_that_is_none_is_refused(host: LambdaEndpoint) -> None:
    response = host.configure(variables=["THRESHOLD"])
    assert response.status_code == 400
    assert "Not a function configuration" in response.text


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("import no_such_module", "Runtime.ImportModuleError"),
        ("def handler(event, context) return 1", "Runtime.UserCodeSyntaxError"),
        ("raise RuntimeError('no')", "RuntimeError"),
        ("handle = print", "Runtime.HandlerNotFound"),
        ("import sys; sys.exit(7)", "Runtime.ExitError"),
    ],
)
def test_a_handler_that_cannot_be_imported_is_a_502_that_says_why(tmp_path: Path, source: str, kind: str) -> None:
    service = tmp_path / "service"
    service.mkdir()
    (service / "handler.py").write_text(source)
    with lambda_host(service, tmp_path / "log") as (host, _):
        response = host.post(b"{}")
    assert (response.status_code, response.json()["errorType"]) == (502, kind)


def test_a_handler_that_is_repaired_is_imported_on_the_next_invocation(tmp_path: Path) -> None:
    service = tmp_path / "service"
    service.mkdir()
    (service / "handler.py").write_text("raise RuntimeError('not yet')")
    with lambda_host(service, tmp_path / "log") as (host, _):
        assert host.post(b"{}").status_code == 502
        (service / "handler.py").write_text("def handler(event, context):\n    return 'repaired'\n")
        assert host.post(b"{}").json() == "repaired"


def test_what_the_handler_prints_is_in_the_log(probe: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with lambda_host(probe, log) as (host, _):
        host.do("print", line="hello from the handler")
        host.do("chain")
    written = log.read_text()
    assert "hello from the handler" in written
    assert "[ERROR] ImageNotFound: outer" in written
    assert "START RequestId: " in written


def _keep_busy(host: LambdaEndpoint) -> None:
    """Invoke for longer than the host will live; whether it still says that its handler ended is a race."""
    with suppress(httpx.TransportError):
        host.post(b'{"do": "sleep", "seconds": 3600}')


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_handlers_process_ends_with_its_host(tmp_path: Path, number: signal.Signals) -> None:
    service = install_probe(tmp_path / "service")
    with lambda_host(service, tmp_path / "log") as (host, process):
        handler = psutil.Process(host.do("process"))
        busy = threading.Thread(target=_keep_busy, args=(host,))
        busy.start()
        time.sleep(0.3)
        process.send_signal(number)
        busy.join()
        handler.wait(timeout=600)
    assert not handler.is_running()


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "9" * 30, "\u0661"])
def test_a_length_that_is_no_number_of_bytes_is_refused_and_the_host_goes_on(host: LambdaEndpoint, length: str) -> None:
    address = urlsplit(host.url)
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=600) as client:
        client.sendall(f"POST {INVOKE} HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{{}}".encode())
        response = b"".join(iter(lambda: client.recv(4096), b""))
    assert response.startswith(b"HTTP/1.1 400 ")
    assert host.do("echo") == {"do": "echo"}


def test_the_plugin_gets_the_log_of_its_invocation_behind_the_payload(host: LambdaEndpoint) -> None:
    request_id = "11111111-2222-3333-4444-555555555555"
    headers = {REQUEST_ID_HEADER: request_id, LOG_HEADER: "append"}
    response = httpx.post(
        host.url + INVOKE, content=b'{"do": "fail", "message": "no"}', headers=headers, trust_env=False
    )
    length = int(response.headers[LOG_LENGTH_HEADER])
    payload, log = response.content[:-length], response.content[-length:].decode()
    assert json.loads(payload)["requestId"] == request_id
    assert log.startswith("[ERROR] ThresholdConfidenceNotMet: no\n")
    again = httpx.post(host.url + INVOKE, content=b"{}", headers=headers, trust_env=False)
    assert LOG_LENGTH_HEADER not in again.headers


def test_other_paths_are_not_found(host: LambdaEndpoint) -> None:
    assert host.post(b"{}").status_code == 200
    assert LambdaEndpoint(host.url + "/elsewhere").post(b"{}").status_code == 404
