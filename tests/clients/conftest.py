"""A local environment with everything deployed, and clients that are not ours, in their own environments."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.lst_files import Entry, write_lst
from emulation.processes.python_environments import PythonEnvironment, Run, environment_key, find_uv
from tests.integration.conftest import cache, deployment
from tests.integration.local_deployment import LocalDeployment, write_images

__all__ = ["cache", "deployment"]
ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).with_name("programs")


@dataclass(frozen=True)
class Clients:
    """Programs of an environment, with the variables that ``scones env`` prints."""

    python: Path
    variables: dict[str, str]
    folder: Path

    def start(self, words: Sequence[str], output: Path) -> "subprocess.Popen[bytes]":
        """Start a Python program of ``programs/``, its output in a file."""
        with output.open("wb") as file:
            return subprocess.Popen(
                [self.python, "-W", "ignore", PROGRAMS / words[0], *words[1:]],
                cwd=self.folder,
                env=self.variables,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def run(self, command: str, *words: str, content: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Run a command of the environment."""
        return subprocess.run(
            [self.python.with_name(command), *words],
            cwd=self.folder,
            env=self.variables,
            input=content,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def evaluate(self, setup: str, names: dict[str, str], expressions: Sequence[str]) -> list[str]:
        """Return the value of each expression, or its error after "FAILED"."""
        request = json.dumps({"setup": setup, "names": names, "expressions": expressions})
        done = self.run("python", "-W", "ignore", str(PROGRAMS / "evaluate.py"), content=request)
        assert done.returncode == 0, done.stderr
        values: list[str] = json.loads(done.stdout)
        return values


def make_clients(name: str, cache: Path, deployment: LocalDeployment, folder: Path, **variables: str) -> Clients:
    """Return the clients of requirements/NAME.txt, installed once in the cache."""
    requirements = ROOT / "requirements" / f"{name}.txt"

    def build(environment: Path, run: Run) -> None:
        uv = find_uv()
        assert uv is not None
        run([uv, "venv", "--quiet", "--no-project", "--relocatable", "--python", sys.executable, str(environment)])
        run([uv, "pip", "install", "--no-progress", "--python", f"{environment}/bin/python", "-r", str(requirements)])

    environment = PythonEnvironment(f"the clients {name}", cache / "clients" / environment_key([requirements]))
    python = environment.ensure(build)
    done = deployment.user.run("env", "--json")
    assert done.returncode == 0, done.stderr
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SAGEMAKER_"))}
    own = {
        "HOME": str(folder),
        "PATH": os.pathsep.join((str(python.parent), os.environ["PATH"])),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_PAGER": "",
        "COLUMNS": "200",
    }
    return Clients(python, inherited | own | json.loads(done.stdout) | variables, folder)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rendered images and their .lst files, as a notebook has them on its disk."""
    folder = tmp_path_factory.mktemp("dataset")
    for part, count in (("train", 40), ("validation", 8)):
        write_images(folder / part, count)
        files = sorted(path.name for path in (folder / part).iterdir())
        write_lst(folder / f"{part}.lst", [Entry(number, number % 2, file) for number, file in enumerate(files)])
    return folder


@dataclass(frozen=True)
class Notebook:
    """A program that runs on its own while other tests run."""

    process: "subprocess.Popen[bytes]"
    output: Path

    def text(self) -> str:
        """Wait for its end and return what it printed."""
        status = self.process.wait(1200)
        text = self.output.read_text()
        assert status == 0, text
        return text

    def steps(self) -> dict[str, Any]:
        """Return the value of each step."""
        lines = [json.loads(line) for line in self.text().splitlines() if line.startswith('{"step"')]
        return {line["step"]: line["value"] for line in lines}

    def log(self) -> str:
        """Return what the SDK printed of the job's log."""
        return self.text().partition("LOG BEGINS")[2].partition("LOG ENDS")[0]


@pytest.fixture(scope="session")
def notebooks(
    tmp_path_factory: pytest.TempPathFactory, cache: Path, deployment: LocalDeployment, dataset: Path
) -> Iterator[dict[str, Notebook]]:
    """Both programs at once: most of their time is the SDKs' own sleep between two polls."""
    running = {}
    for version, name in (("v2", "clients"), ("v3", "sagemaker")):
        folder = tmp_path_factory.mktemp(version)
        clients = make_clients(name, cache, deployment, folder)
        words = (f"notebook_{version}.py", str(dataset), str(folder / "captures"))
        running[version] = Notebook(clients.start(words, folder / "output.txt"), folder / "output.txt")
    yield running
    for notebook in running.values():
        notebook.process.kill()
        notebook.process.wait()


@pytest.fixture(scope="session")
def clients(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, cache: Path, deployment: LocalDeployment
) -> Clients:
    """The AWS CLI, awslocal, localstack-client, s3fs and boto3, which SDK v2's environment has, too."""
    if any("notebooks" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("notebooks")  # so that they run meanwhile
    return make_clients("clients", cache, deployment, tmp_path_factory.mktemp("clients"))
