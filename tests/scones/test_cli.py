import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from scones.cli import app


def scones(*arguments: str, home: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the command as a user does, in a home of its own where nothing runs."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        closed = f"http://127.0.0.1:{reserved.getsockname()[1]}"
    surroundings = {
        **os.environ,
        "SCONES_HOME": str(home),
        "SCONES_LOCALSTACK_URL": closed,
        "SCONES_SAGEMAKER_URL": closed,
        "COLUMNS": "200",
        **environment,
    }
    command = [sys.executable, "-m", "scones", *arguments]
    return subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=60, check=False)


def commands(group: Any = None) -> Iterator[str]:
    """The words of every command and group of commands."""
    whole: Any = group or typer.main.get_command(app)
    for name, command in whole.commands.items():
        yield name
        yield from (f"{name} {inner}" for inner in commands(command)) if hasattr(command, "commands") else ()


def test_help_names_every_command() -> None:
    answer = CliRunner().invoke(app, ["--help"])
    assert answer.exit_code == 0
    assert all(command in answer.stdout for command in commands() if " " not in command)


@pytest.mark.parametrize("command", list(commands()))
def test_every_command_explains_itself(command: str) -> None:
    answer = CliRunner().invoke(app, [*command.split(), "--help"])
    assert answer.exit_code == 0
    assert "Usage" in answer.stdout


def test_status_of_nothing_says_so_and_how_to_start(tmp_path: Path) -> None:
    answer = scones("status", home=tmp_path)
    assert answer.returncode == 3
    assert "scones up" in answer.stderr


def test_status_of_nothing_in_json(tmp_path: Path) -> None:
    answer = scones("status", "--json", home=tmp_path)
    assert json.loads(answer.stdout)["running"] is False


def test_down_where_nothing_runs_is_no_error(tmp_path: Path) -> None:
    assert scones("down", home=tmp_path).returncode == 0


def test_without_a_stack_running_one_line_says_what_to_start(tmp_path: Path) -> None:
    answer = scones("deploy", home=tmp_path)
    assert answer.returncode == 1
    assert len(answer.stderr.strip().splitlines()) == 1
    assert "scones up" in answer.stderr


def test_an_unknown_option_is_a_usage_error() -> None:
    assert CliRunner().invoke(app, ["run", "--fast", "x.png"]).exit_code == 2


def test_an_unknown_target_in_the_environment_is_one_clear_line(tmp_path: Path) -> None:
    answer = scones("deploy", home=tmp_path, SCONES_TARGET="mars")
    assert answer.returncode == 1
    assert "mars" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = scones("up", "--sagemaker-port", port, home=tmp_path, SCONES_CACHE=str(tmp_path / "cache"))
    assert answer.returncode == 1
    assert port in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_command_answers_before_it_has_loaded_what_it_does_not_need(tmp_path: Path) -> None:
    heavy = ("sagemaker", "onnxruntime", "matplotlib", "torch")
    code = f"import sys, scones.cli; print([name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout.strip() == "[]"


def test_a_sigterm_ends_a_command_as_ctrl_c_does(tmp_path: Path) -> None:
    code = (
        "import os, signal; from scones import cli; "
        "signal.signal(signal.SIGTERM, cli._interrupted); os.kill(os.getpid(), signal.SIGTERM)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in answer.stderr
