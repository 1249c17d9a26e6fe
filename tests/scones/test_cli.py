"""What holds for every command, and how failures and interruptions end."""

import json
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from scones.cli import COMMANDS, load
from scones.settings import ROOT
from tests.cli_runner import User, command_names, find_command
from tests.ports import reserved_ports
from tests.scones.conftest import Cli
from tests.scones.fake_cloudformation import CloudFormation
from tests.scones.fake_session import FakeSession


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    """A user of whose environment nothing runs."""
    with reserved_ports(1) as (port,):
        urls = dict.fromkeys(("SCONES_LOCALSTACK_URL", "SCONES_SAGEMAKER_URL"), f"http://127.0.0.1:{port}")
        yield User(tmp_path / "home", {**urls, "SCONES_CACHE": str(tmp_path / "cache")})


def test_help_names_every_command_but_the_hidden_one(cli: Cli) -> None:
    result = cli("--help")
    assert result.exit_code == 0
    assert all(name in result.stdout for name in COMMANDS)
    assert "keep" not in result.stdout


@pytest.mark.parametrize("names", command_names(), ids=" ".join)
def test_every_command_explains_itself(names: tuple[str, ...], cli: Cli) -> None:
    result = cli(*names, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.stdout


@pytest.mark.parametrize("names", command_names(), ids=" ".join)
def test_the_one_line_help_is_the_first_line_of_the_commands_own(names: tuple[str, ...]) -> None:
    group, _ = find_command(names[:-1])
    first_line = str(load(*names).help).partition("\n")[0]
    assert group.commands[names[-1]].short_help == first_line


def test_status_of_nothing_says_so_and_how_to_start(user: User) -> None:
    done = user.run("status")
    assert done.returncode == 3
    assert "scones up" in done.stderr


def test_status_of_nothing_in_json(user: User) -> None:
    assert json.loads(user.run("status", "--json").stdout)["running"] is False


def test_down_where_nothing_runs_is_no_error(user: User) -> None:
    assert user.run("down").returncode == 0


def test_without_a_local_environment_one_line_says_what_to_start(user: User) -> None:
    done = user.run("deploy")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "scones up" in done.stderr


def test_an_unknown_option_is_a_usage_error(cli: Cli) -> None:
    assert cli("run", "--fast", "x.png").exit_code == 2


def test_an_unknown_command_is_a_usage_error_that_suggests_one(cli: Cli) -> None:
    result = cli("deplyo")
    assert result.exit_code == 2
    assert "deploy" in result.stderr


def test_an_unknown_target_in_the_environment_is_one_clear_line(user: User) -> None:
    done = User(user.home, {**user.environment, "SCONES_TARGET": "mars"}).run("deploy")
    assert done.returncode == 1
    assert "mars" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_cannot_be_written_is_named_with_the_reason(user: User, tmp_path: Path) -> None:
    done = user.run("cost", "--write", str(tmp_path))
    assert (done.returncode, done.stderr) == (1, f"error: {tmp_path}: Is a directory: specify a file\n")


OUTPUTS = (("batch", "photos", "--out"), ("batch", "--attach", "arn", "--out"), ("demo", "--out"), ("monitor", "--out"))


@pytest.mark.parametrize("words", OUTPUTS, ids=" ".join)
def test_an_output_folder_that_is_a_file_is_refused_before_anything_starts(
    words: tuple[str, ...], user: User, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    done = user.run(*words, str(tmp_path / "file"))
    remedy = "choose a path at which there is no file"
    assert (done.returncode, done.stderr) == (1, f"error: {tmp_path / 'file'}: File exists: {remedy}\n")


@pytest.mark.parametrize("words", [["report", "--out"], ["evaluate", "--out"]], ids=" ".join)
def test_an_output_folder_that_is_a_file_is_refused_before_anything_is_read(
    words: list[str], cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    session = FakeSession(cloudformation=CloudFormation())
    assert isinstance(cli(*words, str(tmp_path / "file"), session=session).exception, FileExistsError)


@pytest.mark.parametrize(
    "words", [["review", "--sheet"], ["baseline", "--synthetic", "--out"], ["rehearse", "--write"]], ids=" ".join
)
def test_an_output_file_that_is_a_folder_is_refused_before_anything_is_read(
    words: list[str], cli: Cli, tmp_path: Path
) -> None:
    session = FakeSession(cloudformation=CloudFormation(), sqs=object(), s3=object())
    assert isinstance(cli(*words, str(tmp_path), session=session).exception, IsADirectoryError)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("AWS_PROFILE", "nope", "The config profile (nope) could not be found: correct AWS_PROFILE, or create it"),
        ("AWS_REGION", "bogus region", "'bogus region' is not a region: correct AWS_REGION, or the profile's region"),
    ],
)
def test_aws_settings_that_cannot_be_used_are_named_with_the_remedy(
    variable: str, value: str, message: str, user: User
) -> None:
    environment = {**user.environment, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", variable: value}
    done = User(user.home, environment).run("status", "--target", "aws")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {message}")
    assert len(done.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_named(user: User) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = user.run("up", "--sagemaker-port", port)
    assert done.returncode == 1
    assert port in done.stderr
    assert "Traceback" not in done.stderr


def test_help_imports_no_command() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from scones.cli import app; "
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0; "
        "print([name for name in sys.modules if name.startswith('scones.commands.') or name in ('boto3', 'numpy')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_ctrl_c_while_the_command_line_is_imported_ends_it_without_a_traceback() -> None:
    code = """
import runpy, sys
class Interrupt:
    def find_spec(self, name, *_):
        if name == "scones.cli":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupt())
runpy.run_module("scones", run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "")


def test_the_installed_command_is_the_module() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert scripts == {"scones": "scones.__main__:main"}


def test_the_installed_command_completes(tmp_path: Path) -> None:
    script = tmp_path / "scones"
    script.write_text("from scones.__main__ import main\nmain()\n")
    asked = {"_SCONES_COMPLETE": "complete_bash", "COMP_WORDS": "scones dest", "COMP_CWORD": "1"}
    environment = {**User(tmp_path).variables(), **asked}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["destroy"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_command_with_130(number: signal.Signals, user: User) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        waiting = User(user.home, {**user.environment, "SCONES_LOCALSTACK_URL": url})
        with waiting.start("deploy", stdin=subprocess.DEVNULL) as process:
            connection, _ = silent.accept()  # now the command waits for a response that never comes
            process.send_signal(number)
            _, stderr = process.communicate()
            connection.close()
    assert process.returncode == 130
    assert "Traceback" not in stderr
