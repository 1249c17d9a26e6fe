"""Fuzz targets that serve a person or a socket: command line, Lambda host, connection to the model server."""

import contextlib
import io
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tests.quality.fuzz.target import JSON_WORDS, Target

# They start processes, train, build images or wait for a person, and read nothing from strangers.
_CLOSED_PORT = 9  # the discard protocol, which nothing serves
_NOT_RUN = {"up", "demo", "down", "train", "images", "keep", "deploy", "destroy", "baseline"}


def command_line() -> Target:
    """The `scones` command, without a stack: a usage error, a named one, or an answer; never a traceback."""
    home = tempfile.mkdtemp(prefix="scones-fuzz-")
    os.chdir(home)
    for name in [name for name in os.environ if name.startswith(("AWS_", "SCONES_"))]:
        del os.environ[name]
    # Nothing listens there: a stack that runs on this machine at the usual ports must not be acted on.
    nowhere = f"http://127.0.0.1:{_CLOSED_PORT}"
    os.environ |= {
        "SCONES_LOCALSTACK_URL": nowhere, "SCONES_SAGEMAKER_URL": nowhere, "AWS_ENDPOINT_URL": nowhere,
        "SCONES_HOME": f"{home}/home", "SCONES_CACHE": f"{home}/cache", "HOME": home,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SCONES_CIFAR100": f"{home}/missing.tar.gz", "AWS_MAX_ATTEMPTS": "1", "COLUMNS": "100",
    }  # fmt: skip
    import sagemaker.core.resources  # noqa: F401, PLC0415 - takes seconds, which are not an input's fault
    import scipy.stats  # noqa: F401, PLC0415

    from scones import cli  # noqa: PLC0415 - reads the environment

    Path("broken.json").write_bytes(b'{"prices": [')
    Path("a.png").write_bytes(b"\x89PNG\r\n\x1a\n")

    def one(data: bytes) -> None:
        words = [word for word in data.decode("utf-8", "surrogateescape").split("\n") if "\0" not in word]
        if not words or _NOT_RUN & set(words):
            return
        sys.argv = ["scones", *words]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            code = _exit_code(cli.main)
        assert code in {None, 0, 1, 2, 3}

    seeds = (
        b"--help", b"cost", b"cost\n--json", b"cost\n--images\n1000", b"status", b"status\n--json", b"run\na.png",
        b"run\ns3://b/k\n--json", b"show\narn:aws:states:us-east-1:000000000000:execution:m:e",
        b"stage\n--archive\na.png",
        b"review\n--json", b"redrive", b"batch\n.", b"endpoint\nstatus", b"monitor\n--json", b"report\n--out\nx",
        b"evaluate",
    )  # fmt: skip
    words = (
        b"--json",
        b"--threshold\n",
        b"nan",
        b"-1",
        b"[red]",
        b"[/]",
        b"--help",
        b"--out\n",
        b"s3://",
        b"a.png",
        b"\xed\xa0\x80",
        b"9" * 400,
    )
    return Target(one, (), seeds, words, longest=400, is_costly=True)


def _exit_code(main: Callable[[], None]) -> object:
    try:
        main()
    except SystemExit as end:
        return end.code
    return None


def lambda_host() -> Target:
    """The host of a Lambda function, from the first byte of a connection: it answers or closes, and continues."""
    from emulation.lambdas.function import HttpResponse, LambdaFunction  # noqa: PLC0415
    from emulation.lambdas.host import Server  # noqa: PLC0415
    from emulation.localstack.scones_localstack.host_protocol import (  # noqa: PLC0415
        CONFIGURATION_HEADER,
        INVOKE_PATH,
        FunctionConfiguration,
    )

    raised: list[BaseException] = []

    class Watched(Server):
        def handle_error(self, request: Any, client_address: Any) -> None:
            error = sys.exception()
            if error is not None and not isinstance(error, ConnectionError):
                raised.append(error)

    class Echo(LambdaFunction):
        def configure(self, configuration: FunctionConfiguration) -> None:
            pass  # no process of a handler: what is tried here is the protocol

        def invoke(self, event: bytes, request_id: str | None = None) -> HttpResponse:
            return HttpResponse(HTTPStatus.OK, event)

    function = Echo(Path(), "handler.handler", FunctionConfiguration("f", 3, 128), "us-east-1")
    server = Watched("127.0.0.1", 0, function)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def one(data: bytes) -> None:
        with (
            socket.create_connection(("127.0.0.1", server.server_port), timeout=600) as client,
            contextlib.suppress(ConnectionError),
        ):
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
        if raised:
            raise raised.pop()

    invoke = f"POST {INVOKE_PATH} HTTP/1.1\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    configure = b'{"function_name": "f", "timeout": 3, "memory_size": 128, "variables": {"A": "b"}}'
    seeds = (
        invoke,
        b"PUT /environment HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(configure), configure),
        b"GET /health HTTP/1.1\r\n\r\n",
        invoke * 2,
        invoke.replace(b"\r\n\r\n", f"\r\n{CONFIGURATION_HEADER}: {'0' * 64}\r\n\r\n".encode()),
    )
    words = (
        *JSON_WORDS,
        b"Content-Length: -1\r\n",
        b"Content-Length: x\r\n",
        b"9" * 30,
        b"Transfer-Encoding: chunked\r\n",
        b" HTTP/9.9",
    )
    return Target(one, (), seeds, words)


def model_answer() -> Target:
    """What a model server answers the emulator: HTTP, or something like it."""
    import asyncio  # noqa: PLC0415

    from emulation.sagemaker.errors import ContainerDown, InvalidContainerResponse  # noqa: PLC0415
    from emulation.sagemaker.hosting.http_client import _Connection  # noqa: PLC0415

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    class Pipe(asyncio.Transport):
        def writelines(self, list_of_data: Any) -> None:
            pass

        def close(self) -> None:
            pass

        def is_closing(self) -> bool:
            return False

    async def exchange(data: bytes) -> None:
        connection = _Connection()
        connection.connection_made(Pipe())
        waiting = asyncio.ensure_future(connection.exchange(b"", b""))
        await asyncio.sleep(0)
        middle = len(data) // 2
        connection.data_received(data[:middle])
        connection.data_received(data[middle:])
        connection.connection_lost(None)
        await waiting

    seeds = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n[0.9, 0.1]",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n[1,\r\n2\r\n0]\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n",
    )
    words = (
        b"content-length: 99999999999\r\n",
        b"\r\n\r\n",
        b"transfer-encoding: chunked\r\n",
        b"ffffffff\r\n",
        b"HTTP/1.1 999 \r\n",
    )
    return Target(
        lambda data: loop.run_until_complete(exchange(data)), (InvalidContainerResponse, ContainerDown), seeds, words
    )
