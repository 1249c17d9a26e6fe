"""docs/migrating.md is right about a published solution's functions and about ours: both are run."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from orchestration.package import TEMPLATE
from tests.documents.markdown import ROOT, blocks
from tests.documents.migrating import TEXT

EVENTS = [json.loads("".join(lines)) for _, language, lines in blocks(TEXT) if language == "json"][:6]
ANSWERS = re.findall(r"^\| (serialize|classify|filter) \| `(\{.*\})` \| `(.*)` \|$", TEXT, re.MULTILINE)
NAMED = re.findall(r"`(\w+)` in `(services/[a-z_/]+\.py)`", TEXT)
IMAGE = b"\x89PNG\r\n\x1a\n and what follows"
# Prints what a function returns for each event, or the error by which Step Functions would know it.
DRIVER = """
import contextlib, io, json, sys
import handler
for event in json.load(sys.stdin):
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            answer = handler.handler(event, None)
    except Exception as error:
        answer = f"{type(error).__name__}: {error}"
    print(json.dumps(answer))
"""


def ours(service: str, events: list[Any]) -> list[Any]:
    """Run one of our functions as Lambda does: in its own folder, with its variables."""
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    own = {"ENDPOINT_NAME": "vehicles", "AWS_REGION": "us-east-1", "PYTHONPATH": "", **credentials}
    environment = {**os.environ, **own}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER], cwd=ROOT / "services" / service, env=environment, input=json.dumps(events),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The functions of the published style, with an S3 that has one image and an endpoint that is sure."""
    body = SimpleNamespace(read=lambda: b"[0.97, 0.03]")
    clients = {
        "s3": SimpleNamespace(download_file=lambda _bucket, _key, path: Path(path).write_bytes(IMAGE)),
        "sagemaker-runtime": SimpleNamespace(invoke_endpoint=lambda **_: {"Body": body}),
    }
    monkeypatch.setattr(boto3, "client", clients.__getitem__)
    (code,) = [
        "\n".join(lines) for _, language, lines in blocks(TEXT) if language == "python" and "ENDPOINT =" in lines[5]
    ]
    names: dict[str, Any] = {}
    exec(compile(code, "docs/migrating.md", "exec"), names)  # noqa: S102 - our own document
    return names


def shortened(event: Any) -> Any:
    """Return an event with its image as the document shows it."""
    return json.loads(re.sub(r'(image_data\\?": \\?")iVBORw0KGgo[^"\\]*', r"\1iVBORw0KGgo…", json.dumps(event)))


def test_a_published_solution_passes_these_events_on(published: dict[str, Any]) -> None:
    event: Any = {"image_data": "", "s3_bucket": "b", "s3_key": "test/bicycle.png", "inferences": []}
    for name, documented in zip(("read_image", "ask_endpoint", "keep_sure"), EVENTS[::2], strict=True):
        event = published[name](event, None)
        assert shortened(event) == documented


def test_ours_pass_these_events_on() -> None:
    serialized, classified, filtered = EVENTS[1::2]
    assert ours("filter", [classified]) == [filtered]
    assert set(serialized) == {"s3_bucket", "s3_key", "image_data", "content_type"}
    assert set(classified) == {"s3_bucket", "s3_key", "inferences"}


@pytest.mark.parametrize("service", ["serialize", "classify", "filter"])
def test_ours_answer_a_published_event_as_documented(service: str) -> None:
    documented = [(json.loads(event), response) for name, event, response in ANSWERS if name == service]
    assert documented
    assert ours(service, [event for event, _ in documented]) == [response for _, response in documented]


@pytest.mark.parametrize(("name", "file"), NAMED)
def test_a_named_function_is_in_the_named_file(name: str, file: str) -> None:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_named_parameters_are_the_templates() -> None:
    parameters = TEMPLATE.read_text("utf-8").partition("\nParameters:")[2].partition("\nConditions:")[0]
    named = re.findall(r"--parameter (\w+)=", TEXT)
    assert named
    assert [name for name in named if f"\n  {name}:" not in parameters] == []
