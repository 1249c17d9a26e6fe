"""How the server starts, loses a worker, and ends."""

import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest
from PIL import Image

from training.serving.__main__ import command_line

from .server_process import RunningServer, Start

PNG = {"Content-Type": "image/png"}
REPOSITORY = Path(__file__).parents[3]


def workers_of(server: RunningServer) -> list[int]:
    """Return the processes that have loaded the model, the earliest first."""
    return [line["process"] for line in server.events("model loaded")]


def family_of(server: RunningServer) -> list[psutil.Process]:
    parent = psutil.Process(server.process.pid)
    return [parent, *parent.children(recursive=True)]


def are_gone(processes: list[psutil.Process], seconds: float = 600) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return not alive


def test_nothing_is_written_to_the_home_and_every_line_is_json_so_onnx_runtime_does_not_report(
    start: Start, tmp_path: Path
) -> None:
    server = start(environment={"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "CI": ""})
    server.stop()
    assert not list(tmp_path.iterdir())
    assert server.events("model loaded")


@pytest.mark.parametrize(("workers", "number"), [(1, signal.SIGTERM), (2, signal.SIGTERM), (2, signal.SIGINT)])
def test_a_signal_ends_all_processes_in_good_order(start: Start, workers: int, number: int) -> None:
    server = start(workers=workers)
    family = family_of(server)
    assert len(family) >= workers
    assert server.stop(number) == 0
    assert are_gone(family)
    assert "Traceback" not in "".join(server.lines)


def test_a_signal_while_the_model_is_loading_ends_the_server_in_good_order(start: Start) -> None:
    server = start(ready=False)
    server.wait_for("bound")
    assert server.stop() == 0


def test_sagemaker_names_the_port_and_the_workers_and_the_command_line_has_the_last_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = command_line().parse_args(["serve"])
    assert (plain.host, plain.port, str(plain.model_dir), plain.threads) == ("0.0.0.0", 8080, "/opt/ml/model", 1)  # noqa: S104
    assert plain.workers == os.cpu_count()
    monkeypatch.setenv("SAGEMAKER_BIND_TO_PORT", "9191")
    monkeypatch.setenv("SAGEMAKER_MODEL_SERVER_WORKERS", "3")
    named = command_line().parse_args(["serve"])
    assert (named.port, named.workers) == (9191, 3)
    assert plain.labels == ("bicycle", "motorcycle")
    argued = command_line().parse_args(["serve", "--port", "1234", "--workers", "1"])
    assert (argued.port, argued.workers) == (1234, 1)


def test_every_line_of_the_log_is_a_json_object(start: Start, red: bytes) -> None:
    server = start()
    assert httpx.post(f"{server.url}/invocations", content=red, headers=PNG).status_code == 200
    server.stop()
    assert all(line["time"] and line["level"] and line["event"] for line in server.log)
    (line,) = server.events("invocation")
    assert (line["status"], line["bytes"], line["content_type"]) == (200, len(red), "image/png")


def test_requests_under_way_are_answered_before_the_end(start: Start, encode: Callable[..., bytes]) -> None:
    server = start(workers=2)
    slow = encode(Image.new("RGB", (5000, 4000)))
    statuses: list[int] = []

    def ask() -> None:
        statuses.append(httpx.post(f"{server.url}/invocations", content=slow, headers=PNG, timeout=600).status_code)

    callers = [threading.Thread(target=ask) for _ in range(4)]
    for caller in callers:
        caller.start()
    server.wait_for("invocation")
    server.process.send_signal(signal.SIGTERM)
    for caller in callers:
        caller.join(600)
    assert server.wait() == 0
    assert statuses == [200] * 4
    assert len(server.events("invocation")) == 4


@pytest.mark.parametrize("workers", [1, 2])
def test_no_answer_is_lost_when_the_server_ends_under_load(start: Start, workers: int, red: bytes) -> None:
    server = start(workers=workers)
    url = server.url
    outcomes: Counter[object] = Counter()
    lock = threading.Lock()

    def keep_asking() -> None:
        with httpx.Client(timeout=600) as client:
            while True:
                try:
                    outcome: object = client.post(f"{url}/invocations", content=red, headers=PNG).status_code
                except httpx.TransportError as error:
                    outcome = type(error).__name__
                with lock:
                    outcomes[outcome] += 1
                if outcome != 200:
                    return

    callers = [threading.Thread(target=keep_asking) for _ in range(8)]
    for caller in callers:
        caller.start()
    server.wait_for("invocation", times=100)
    server.process.send_signal(signal.SIGTERM)
    for caller in callers:
        caller.join(600)
    assert server.wait() == 0
    assert outcomes.keys() <= {200, "ConnectError"} | ({"ReadError", "RemoteProtocolError"} if workers > 1 else set())
    assert outcomes[200] == len([line for line in server.events("invocation") if line["status"] == 200])


def test_a_killed_worker_is_replaced(start: Start, red: bytes) -> None:
    server = start(workers=2)
    victim, survivor = workers_of(server)
    psutil.Process(victim).kill()
    server.wait_for("model loaded", times=3)
    server.wait_for("Application startup complete.", times=3)
    assert len({victim, survivor, workers_of(server)[2]}) == 3
    assert httpx.post(f"{server.url}/invocations", content=red, headers=PNG).status_code == 200
    family = family_of(server)
    assert server.stop() == 0
    assert are_gone(family)


def test_workers_end_when_their_supervisor_is_killed(start: Start) -> None:
    server = start(workers=2)
    family = family_of(server)
    server.process.kill()
    assert are_gone(family)
    server.wait()


@pytest.mark.parametrize("workers", [1, 2])
def test_the_server_ends_when_the_process_that_started_it_lets_go_of_its_lifeline(start: Start, workers: int) -> None:
    read, write = os.pipe()
    server = start(workers=workers, environment={"SCONES_PARENT_PIPE_FD": str(read)}, pass_fds=(read,))
    os.close(read)
    family = family_of(server)
    time.sleep(0.5)
    assert server.process.poll() is None
    os.close(write)
    assert server.wait() == 0
    assert are_gone(family)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_without_a_model_says_why_and_ends(start: Start, workers: int, tmp_path: Path) -> None:
    server = start(model=tmp_path / "nothing", workers=workers, ready=False)
    assert server.wait() == 3
    line = server.events("start failed")[0]
    assert line["error"] == "ModelNotFound"
    assert "nothing" in line["message"]
    assert not [line for line in server.log if "traceback" in line]


def test_a_server_that_is_stopped_while_it_imports_ends_in_silence(start: Start, tmp_path: Path) -> None:
    stopped = "try: os.kill(os.getpid(), signal.SIGTERM)\nexcept BaseException as error: raise ImportError from error\n"
    (tmp_path / "onnxruntime.py").write_text(f"import os, signal\n{stopped}")
    server = start(ready=False, environment={"PYTHONPATH": f"{tmp_path}{os.pathsep}{REPOSITORY}"})
    assert server.wait() == 0
    assert [line["event"] for line in server.log] == ["bound"]


def test_a_taken_port_is_said_and_ends_the_server(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = start("--port", str(taken.getsockname()[1]), ready=False)
        assert server.wait() == 3
    assert "in use" in json.dumps(server.log)


@pytest.mark.parametrize("setting", [("--workers", "0"), ("--threads", "0"), ("--port", "-1"), ("--workers", "many")])
def test_an_impossible_setting_is_refused_before_anything_starts(start: Start, setting: tuple[str, str]) -> None:
    server = start(*setting, ready=False)
    assert server.wait() == 2
    assert setting[0] in "".join(server.lines)
