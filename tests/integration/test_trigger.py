"""An object that appears under incoming/ is classified without anybody's doing."""

import io
import json
import time
from uuid import uuid4

import pytest
from PIL import Image

from core import queues
from tests.integration.conftest import Running
from tests.integration.test_state_machine import messages

pytestmark = pytest.mark.integration

QUEUES = ("ReviewQueueUrl", "FailureQueueUrl")
NAMES = [
    "plain.png",
    "with spaces and + plus.png",
    "Fahrrad-grün Öl.png",
    "100% sure%20.png",
    'a "quoted" name & more.png',
    "自転車.png",
    "\x1b[31mred\x1b[0m.png",
    "line\nbreak.png",
    "\u202egnp.png",
]


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), "gray").save(buffer, "PNG")
    return buffer.getvalue()


def wait_for_executions(scripted: Running, words: str, count: int) -> list[dict[str, str]]:
    """Return the executions whose input has ``words``, described, once there are ``count`` and all have ended."""
    stepfunctions, machine = scripted.client("stepfunctions"), scripted.outputs["StateMachineArn"]
    deadline = time.monotonic() + 600
    while True:
        pages = stepfunctions.get_paginator("list_executions").paginate(stateMachineArn=machine)
        listed = [execution["executionArn"] for page in pages for execution in page["executions"]]
        described = [stepfunctions.describe_execution(executionArn=arn) for arn in listed]
        found = [execution for execution in described if words in execution["input"]]
        if len(found) >= count and all(execution["status"] != "RUNNING" for execution in found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.3)


def test_each_new_object_becomes_one_execution_that_finds_it_whatever_it_is_called(scripted: Running) -> None:
    s3 = scripted.client("s3")
    batch = uuid4().hex
    keys = {f"incoming/{batch}/{name}" for name in NAMES}
    for key in [*keys, f"elsewhere/{batch}/incoming/no.png"]:
        s3.put_object(Bucket=scripted.outputs["DataBucket"], Key=key, Body=png())

    found = wait_for_executions(scripted, batch, len(keys))
    assert [execution["status"] for execution in found] == ["SUCCEEDED"] * len(keys), found
    assert {json.loads(execution["output"])["s3_key"] for execution in found} == keys


@pytest.mark.parametrize("name", ["day1/", ".DS_Store"])
def test_what_a_console_puts_beside_images_is_skipped_without_a_message(scripted: Running, name: str) -> None:
    before = [queues.length(scripted.client("sqs"), scripted.outputs[each]) for each in QUEUES]
    key = f"incoming/{uuid4().hex}/{name}"
    scripted.client("s3").put_object(Bucket=scripted.outputs["DataBucket"], Key=key, Body=b"")
    (execution,) = wait_for_executions(scripted, key, 1)
    assert execution["status"] == "SUCCEEDED"
    assert json.loads(execution["output"])["Error"] == "NotAnImage"
    assert [queues.length(scripted.client("sqs"), scripted.outputs[each]) for each in QUEUES] == before


@pytest.mark.parametrize("mark", ["\x1b[31m", "\n", "\r\n", "\u2028", "\x7f"], ids=ascii)
def test_an_object_whose_key_has_control_characters_ends_in_exactly_one_queue(scripted: Running, mark: str) -> None:
    s3, batch = scripted.client("s3"), uuid4().hex
    sent = {
        "broken.png": (b"no image", "FailureQueueUrl"),
        "filter,ThresholdConfidenceNotMet,always,.png": (png(), "ReviewQueueUrl"),
    }
    for name, (content, _) in sent.items():
        s3.put_object(Bucket=scripted.outputs["DataBucket"], Key=f"incoming/{batch}/{mark}/{name}", Body=content)

    def ended(name: str) -> list[str]:
        return [
            queue
            for queue in ("FailureQueueUrl", "ReviewQueueUrl")
            for message in messages(scripted, queue)
            if batch in (text := json.dumps(message)) and name in text
        ]

    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and not all(map(ended, sent)):
        time.sleep(0.3)
    time.sleep(1)  # for one that comes twice
    assert {name: ended(name) for name in sent} == {name: [queue] for name, (_, queue) in sent.items()}
