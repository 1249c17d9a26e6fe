"""The server ends after SIGTERM, and is ended when it hangs, whatever its threads do."""

import contextlib
import os
import signal
import threading
from pathlib import Path

import httpx
import pytest

from tests.training.serving.images import Encode, Scene

from .server_process import Start

REPOSITORY = Path(__file__).parents[3]
PROGRAM = """
import sys, time
import simplejpeg
def decode_jpeg(*_, **__):
    print('{{"event": "stuck"}}', file=sys.stderr, flush=True)
    {stuck}
simplejpeg.decode_jpeg = decode_jpeg
from training.serving import __main__, server
server.GRACE_SECONDS, server.WATCHDOG_SECONDS = 1, 2
sys.exit(__main__.main())
"""
STUCK = {"in Python": "time.sleep(600)", "in C, with the interpreter's lock": "pow(3, 10 ** 9)"}


def invoke(url: str, image: bytes) -> None:
    with contextlib.suppress(httpx.TransportError):
        httpx.post(f"{url}/invocations", content=image, headers={"Content-Type": "image/jpeg"}, timeout=600)


@pytest.mark.parametrize("stuck", STUCK)
def test_sigterm_ends_a_server_whose_threads_are_stuck(stuck: str, start: Start, scene: Scene, encode: Encode) -> None:
    environment = {"PYTHONPATH": f"{REPOSITORY}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    server = start(program=("-c", PROGRAM.format(stuck=STUCK[stuck])), environment=environment)
    image = encode(scene(), "JPEG")
    clients = [threading.Thread(target=invoke, args=(server.url, image)) for _ in range(3)]
    for client in clients:
        client.start()
    server.wait_for("stuck")
    server.process.send_signal(signal.SIGTERM)
    server.wait()
    for client in clients:
        client.join(600)


def test_a_server_that_hangs_is_ended_by_its_watchdog(start: Start, scene: Scene, encode: Encode) -> None:
    environment = {"PYTHONPATH": f"{REPOSITORY}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    program = PROGRAM.format(stuck=STUCK["in C, with the interpreter's lock"])
    server = start(program=("-c", program), environment=environment)
    invoke(server.url, encode(scene(), "JPEG"))
    assert server.wait() == 1
    assert any("Timeout" in line for line in server.lines)
