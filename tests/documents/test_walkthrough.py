"""Every command that the documents show is run as it stands there, in their order, by a user with a stack of their own.

Words that stand for something of the reader's own get a value first. What is not run here says where it is.
"""

import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from PIL import Image

from tests.documents.markdown import DOCUMENTS, ROOT, Command, commands, program_of
from tests.training.data import cifar_archives
from training.data.synthetic import render

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

ELSEWHERE = {
    r"make (demo|test.*)": "Makefile",
    r"docker compose (up|run|down) .*": ".github/workflows/ci.yml",
    r"scones train .*": "tests/journeys/test_other_classes.py",
    r"scones endpoint deploy --(job|artefact) .*": "tests/journeys/test_other_classes.py",
    r"curl .*": "tests/emulation/sagemaker/test_sagemaker_faults.py",
    r"python -m emulation\.sagemaker .*": "emulation/processes/components.py",
    r".*(--target aws|doctor aws).*": "docs/operations.md",  # nothing here has an AWS account
}
CODES = {"monitor": {0, 3, 4}, "run": {0, 1}}
BY_THE_CLOCK = re.compile(r"--from \S+ --to \S+")


@dataclass
class Reader:
    """Somebody who types what they read, in a folder with a photograph and a few more pictures."""

    folder: Path
    environment: dict[str, str]
    said: dict[str, str] = field(default_factory=dict)

    def type(self, text: str) -> str:
        """Run a command line and return what it printed."""
        program, *words = shlex.split(text)
        assert program.endswith("scones"), text
        command = [sys.executable, "-W", "ignore", "-m", "scones", *words]
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=280, check=False
        )
        assert done.returncode in CODES.get(words[0], {0}), f"{text}: {done.returncode}\n{done.stderr[-2000:]}"
        assert "Traceback" not in done.stderr
        return done.stdout

    def meant(self, text: str) -> str:
        """Put the reader's own things where the document has words for them."""
        if "scones baseline" in text and "--captured" not in text:
            text += " --out baseline.json"  # else it would write into the repository
        if "scones show" in text:
            return f"scones show {self.execution()}"
        if "labels.txt" in text:
            self.label_what_waits()
        return text.replace("s3://bucket/", f"s3://{self.bucket()}/")

    def bucket(self) -> str:
        """The stack's bucket, with the objects that the documents speak of."""
        if "bucket" not in self.said:
            self.said["bucket"] = json.loads(self.type("scones deploy --json"))["outputs"]["DataBucket"]
            s3 = self.client("s3")
            for key in ("key.png", "prefix/0.png", "prefix/1.png"):
                s3.put_object(Bucket=self.said["bucket"], Key=key, Body=picture(len(key), "PNG"))
        return self.said["bucket"]

    def execution(self) -> str:
        stack = self.client("cloudformation").describe_stacks(StackName="scones")["Stacks"][0]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        listed = self.client("stepfunctions").list_executions(stateMachineArn=outputs["StateMachineArn"])
        return str(listed["executions"][0]["name"])

    def label_what_waits(self) -> None:
        self.type("scones run photo.jpg --threshold 1")
        waiting = json.loads(self.type("scones review --json"))["listed"]
        (self.folder / "labels.txt").write_text(f"{waiting[0]['s3_key']}=bicycle\n")

    def client(self, service: str) -> Any:
        from emulation.session import OfflineSession  # noqa: PLC0415

        addresses = json.loads(self.type("scones status --json"))["addresses"]
        return OfflineSession(addresses["localstack"], addresses["sagemaker"]).client(service)


def picture(seed: int, kind: str, side: int = 96) -> bytes:
    content = io.BytesIO()
    Image.fromarray(render(seed % 2, seed, side)).save(content, kind)
    return content.getvalue()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("reader")
    (folder / "photo.jpg").write_bytes(picture(0, "JPEG", 400))
    for name, count in {"photos": 110, "more": 2}.items():  # a baseline of what was captured takes a hundred
        (folder / name).mkdir()
        for number in range(count):
            (folder / name / f"{number}.png").write_bytes(picture(number, "PNG"))
    archive = cifar_archives.pack(folder / "archive.tar.gz", cifar_archives.members(rows=400))
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SCONES_HOME": str(folder / "home"),
        "SCONES_CACHE": os.environ.get("SCONES_CACHE") or platformdirs.user_cache_dir("scones"),
        "SCONES_CIFAR100": str(archive),
        "COLUMNS": "200",
    }
    environment.pop("SCONES_LABELS", None)
    found = Reader(folder, environment)
    try:
        yield found
    finally:
        subprocess.run([sys.executable, "-m", "scones", "down"], env=environment, check=False, capture_output=True)


def shown() -> list[Command]:
    """Each command once, README's first; what ends the stack at the end."""
    order = sorted(DOCUMENTS, key=lambda path: (path.name != "README.md", path.name != "operations.md", path.name))
    once: dict[str, Command] = {}
    for command in (command for path in order for command in commands(path)):
        once.setdefault(plain(command), command)
    return sorted(once.values(), key=lambda command: plain(command) == "scones down")


def plain(command: Command) -> str:
    return command.text.replace(".venv/bin/", "")


def is_elsewhere(text: str) -> bool:
    return any(re.fullmatch(pattern, text) for pattern in ELSEWHERE)


def test_every_command_in_the_documents_does_what_they_say(reader: Reader) -> None:
    mine = [c for c in shown() if program_of(c.text) == "scones" and not is_elsewhere(plain(c))]
    assert len(mine) > 20
    for text in map(plain, mine):
        said = text if text in {"scones up --detach", "scones down"} else reader.meant(text)
        reader.type(BY_THE_CLOCK.sub("--since 1h", said))
    assert (reader.folder / "out" / "report.html").is_file()


def test_what_is_not_run_here_is_run_or_said_elsewhere() -> None:
    left = [plain(command) for command in shown() if program_of(command.text) not in {"scones", "export", "git", "cd"}]
    assert [text for text in left if not is_elsewhere(text)] == []
    assert all((ROOT / place).is_file() for place in ELSEWHERE.values())
