"""`scones run` accounts for every file that it is given: on the screen and in JSON the counts add up."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.orchestration.step_functions import StepFunctions
from tests.scones.conftest import Cli
from tests.scones.fake_cloudformation import CloudFormation
from tests.scones.fake_session import FakeSession
from tests.scones.fakes import S3

PNG = b"\x89PNG\r\n\x1a\nrest"


class Classified(StepFunctions):
    """Executions that end at once with a whole output."""

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        output = json.dumps({"label": "bicycle", "confidence": 0.99, "inferences": [0.99, 0.01]})
        return super().describe_execution(executionArn) | {"output": output}


@pytest.fixture
def session() -> FakeSession:
    return FakeSession(cloudformation=CloudFormation(), s3=S3(), stepfunctions=Classified(seconds=0.0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {"day1/same.jpg": PNG, "day2/same.jpg": PNG, "\x1b[31mred.jpg": PNG, "notes.txt": b"text", ".DS_Store": b""}
    for name, content in files.items():
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "photos"


def test_every_file_is_in_the_json_once_by_its_own_name(folder: Path, session: FakeSession, cli: Cli) -> None:
    result = cli("run", str(folder), "--json", session=session)
    assert result.exit_code == 0, (result.output, result.exception)
    entries = json.loads(result.stdout)
    assert {entry["name"] for entry in entries} == {str(path) for path in folder.rglob("*") if path.is_file()}
    assert Counter(entry["status"] for entry in entries) == {"SUCCEEDED": 3, "SKIPPED": 2}
    assert {entry["message"] for entry in entries if entry["status"] == "SKIPPED"} == {"hidden", "not an image"}
    assert {frozenset(entry) for entry in entries} == {frozenset(entries[0])}


def test_the_screen_tells_images_apart_and_lists_what_is_left_out(folder: Path, session: FakeSession, cli: Cli) -> None:
    screen = cli("run", str(folder), session=session).stdout
    assert all(str(folder / name) in screen for name in ("day1/same.jpg", "day2/same.jpg", r"\x1b[31mred.jpg"))
    assert "\x1b" not in screen
    assert f"skipped: not an image, 1 ({folder / 'notes.txt'})" in screen
    assert "skipped: hidden, 1" in screen


@pytest.mark.parametrize("words", [[""], ["--threshold", "0.9", " "]])
def test_an_empty_name_is_a_usage_error(words: list[str], session: FakeSession, cli: Cli) -> None:
    result = cli("run", *words, session=session)
    assert (result.exit_code, "is empty" in result.stderr) == (2, True)
    assert not session.requests


@pytest.mark.parametrize("words", [["--home", ""], ["--home="], ["--stack", "my stack"]])
def test_an_empty_or_malformed_option_is_refused(words: list[str], session: FakeSession, cli: Cli) -> None:
    assert cli("status", "--home", "", session=session).exit_code == 2
    assert cli("run", "x.png", *words, session=session).exit_code != 0
    assert not session.requests
