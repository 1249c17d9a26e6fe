"""Where `scones review --serve` listens; what the page does is in tests/review."""

import socket
from pathlib import Path

import pytest

from scones import review_server
from scones.context import CommandContext
from scones.errors import CannotListen
from scones.settings import Settings
from tests.cli_runner import User


def test_a_port_in_use_is_refused_before_a_url_is_printed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = User(tmp_path).run("review", "--serve", "--port", str(port))
    remedy = f"error: port {port} is in use: choose another with --port\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", remedy)


def test_an_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    context = CommandContext(Settings(home=tmp_path))
    with pytest.raises(CannotListen, match=r"cannot listen on 192\.0\.2\.1, port 8090: .*: correct --host or --port"):
        review_server.serve(context, "192.0.2.1", 8090)
