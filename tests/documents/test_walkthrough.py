"""Every command that the documents show runs as shown, in their order, in one local environment.

Placeholders such as an execution's name are replaced by the reader's own. Commands that are not run here are listed in
``TESTED_ELSEWHERE``.
"""

import io
import json
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from PIL import Image

from emulation.session import LocalSession
from tests.cli_runner import User
from tests.documents.markdown import DOCUMENTS, ROOT, Command, commands, program_of
from tests.training.data import cifar_archives
from training.data.synthetic import render

pytestmark = pytest.mark.integration

# What runs each of the other commands: a file, and the text in it that does so.
TESTED_ELSEWHERE = {
    r"make demo": ("tests/journeys/test_command_line.py", '"demo", "--images"'),
    r"make notebook": ("tests/notebooks/test_walkthrough.py", "NotebookClient"),
    r"make test.*": (".github/workflows/ci.yml", "tox"),
    r"docker compose (up|run|down) .*": (".github/workflows/ci.yml", "docker compose"),
    r"docker run .*": ("services/filter/tests/test_container.py", "docker"),
    r"SCONES_LAMBDA_CONTAINERS=.* scones up": (
        "tests/emulation/localstack/test_zip_functions.py",
        "SCONES_LAMBDA_CONTAINERS",
    ),
    r"scones review --serve": ("tests/journeys/test_review_page.py", '"--serve"'),
    r"scones baseline --synthetic": ("tests/scones/commands/test_baseline.py", '"baseline", "--synthetic"'),
    r"scones evaluate --job .*": ("tests/scones/test_model_comparison.py", '"evaluate", "--job"'),
    r"scones train .*": ("tests/journeys/test_other_classes.py", 'user.scones("train"'),
    r"scones endpoint deploy --job .*": ("tests/journeys/test_other_classes.py", '"endpoint", "deploy", "--job"'),
    r"scones endpoint deploy --artifact .*": ("tests/scones/commands/endpoint/test_deploy.py", '"--artifact"'),
    r"curl .*": ("tests/emulation/sagemaker/hosting/test_faults.py", "PUT"),
    r"python -m emulation\.sagemaker .*": ("emulation/processes/components.py", '"-m", "emulation.sagemaker"'),
    r".*(--target aws|doctor aws).*": ("docs/operations.md", "--target aws"),  # no test has an AWS account
}
EXIT_CODES = {"monitor": {0, 3, 4}, "run": {0, 1}}
FIXED_TIME_RANGE = re.compile(r"--from \S+ --to \S+")


@dataclass
class Reader:
    """A user who runs the documented commands in a folder with images."""

    folder: Path
    user: User
    outputs: dict[str, str] = field(default_factory=dict)

    def type(self, text: str) -> str:
        """Run a command line and return what it printed."""
        program, *words = shlex.split(text)
        assert program.endswith("scones"), text
        done = self.user.run(*words)
        assert done.returncode in EXIT_CODES.get(words[0], {0}), f"{text}: {done.returncode}\n{done.stderr[-2000:]}"
        assert "Traceback" not in done.stderr
        return done.stdout

    def with_own_values(self, text: str) -> str:
        """Replace the placeholders in a command."""
        text = FIXED_TIME_RANGE.sub("--since 1h", text)
        if "scones baseline" in text and "--captured" not in text:
            text += " --out baseline.json"  # the default is a file of the repository
        if "scones show" in text:
            return f"scones show {self.execution()}"
        if "labels.jsonl" in text:
            self.write_labels()
        return text.replace("s3://bucket/", f"s3://{self.bucket()}/") if "s3://bucket/" in text else text

    def bucket(self) -> str:
        """The stack's bucket, with the objects that the documents name."""
        if "DataBucket" not in self.outputs:
            self.outputs = json.loads(self.type("scones deploy --json"))["outputs"]
            s3 = self.client("s3")
            for key in ("key.png", "prefix/0.png", "prefix/1.png"):
                s3.put_object(Bucket=self.outputs["DataBucket"], Key=key, Body=image_file(len(key), "PNG"))
        return self.outputs["DataBucket"]

    def execution(self) -> str:
        stack = self.client("cloudformation").describe_stacks(StackName="scones")["Stacks"][0]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        listed = self.client("stepfunctions").list_executions(stateMachineArn=outputs["StateMachineArn"])
        return str(listed["executions"][0]["name"])

    def write_labels(self) -> None:
        self.type("scones run photo.jpg --threshold 1")
        waiting = json.loads(self.type("scones review --json"))["listed"]
        (self.folder / "labels.jsonl").write_text(f"{waiting[0]['s3_key']}=bicycle\n")

    def client(self, service: str) -> Any:
        addresses = json.loads(self.type("scones status --json"))["addresses"]
        return LocalSession(addresses["localstack"], addresses["sagemaker"]).client(service)


def image_file(seed: int, kind: str, side: int = 96) -> bytes:
    content = io.BytesIO()
    Image.fromarray(render(seed % 2, seed, side)).save(content, kind)
    return content.getvalue()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("reader")
    (folder / "photo.jpg").write_bytes(image_file(0, "JPEG", 400))
    for name, count in {"photos": 110, "more": 2}.items():  # a baseline of captures needs a hundred
        (folder / name).mkdir()
        for number in range(count):
            (folder / name / f"{number}.png").write_bytes(image_file(number, "PNG"))
    archive = cifar_archives.pack(folder / "archive.tar.gz", cifar_archives.members(rows=400))
    environment = {
        "SCONES_CACHE": os.environ.get("SCONES_CACHE") or platformdirs.user_cache_dir("scones"),
        "SCONES_CIFAR100": str(archive),
    }
    with User(folder / "home", environment, folder).with_server() as user:
        try:
            yield Reader(folder, user)
        finally:
            user.run("down")


def documented() -> list[Command]:
    """Each command once: README's first, `scones down` last."""
    order = sorted(DOCUMENTS, key=lambda path: (path.name != "README.md", path.name != "operations.md", path.name))
    once: dict[str, Command] = {}
    for command in (command for path in order for command in commands(path)):
        once.setdefault(without_path(command), command)
    return sorted(once.values(), key=lambda command: without_path(command) == "scones down")


def without_path(command: Command) -> str:
    return command.text.replace(".venv/bin/", "")


def is_tested_elsewhere(text: str) -> bool:
    return any(re.fullmatch(pattern, text) for pattern in TESTED_ELSEWHERE)


RUN_HERE = [
    command
    for command in documented()
    if program_of(command.text) == "scones" and not is_tested_elsewhere(without_path(command))
]


# In the order of the documents: later commands need what earlier ones have created.
@pytest.mark.parametrize("command", RUN_HERE, ids=str)
def test_a_documented_command_succeeds(command: Command, reader: Reader) -> None:
    reader.type(reader.with_own_values(without_path(command)))


def test_the_report_is_where_the_documents_say(reader: Reader) -> None:
    assert (reader.folder / "out" / "report.html").is_file()


def test_every_other_command_is_tested_elsewhere() -> None:
    others = {"scones", "export", "git", "cd"}
    left = [without_path(command) for command in documented() if program_of(command.text) not in others]
    assert [text for text in left if not is_tested_elsewhere(text)] == []
    absent = [text for file, text in TESTED_ELSEWHERE.values() if text not in (ROOT / file).read_text("utf-8")]
    assert absent == [], "nothing runs them any more"
