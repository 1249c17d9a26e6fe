"""The life of one image is as docs/architecture.md tells it, JSON by JSON."""

import io
import json
import time
from typing import Any

import pytest
from PIL import Image

from tests.documents.markdown import ROOT, blocks
from tests.integration.local_deployment import LocalDeployment
from training.data.synthetic import render

pytestmark = pytest.mark.integration


def told() -> list[dict[str, Any]]:
    """The JSON of the section, in its order."""
    section = (ROOT / "docs" / "architecture.md").read_text("utf-8").partition("## The life of one image")[2]
    result = [json.loads("\n".join(lines)) for _, language, lines in blocks(section) if language == "json"]
    return result[:6]


def lived(deployment: LocalDeployment, payload: dict[str, Any]) -> list[dict[str, Any]]:
    """What the states of one execution got and gave: its input, and each task's output."""
    client = deployment.session.client("stepfunctions")
    arn = client.start_execution(stateMachineArn=deployment.outputs.state_machine_arn, input=json.dumps(payload))[
        "executionArn"
    ]
    while client.describe_execution(executionArn=arn)["status"] == "RUNNING":
        time.sleep(0.1)
    events = client.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    left = [event["stateExitedEventDetails"] for event in events if "stateExitedEventDetails" in event]
    return [payload, *(json.loads(details["output"]) for details in left)]


def message(deployment: LocalDeployment, queue_url: str) -> dict[str, Any]:
    """Take messages from the queue, in which other tests may have left some, up to that of this test's images."""
    sqs = deployment.session.client("sqs")
    while True:
        result = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=5)["Messages"][0]
        sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=result["ReceiptHandle"])
        if "life/" in result["Body"]:
            body: dict[str, Any] = json.loads(result["Body"])
            return body


def alike(shown: Any, real: Any) -> bool:
    """Whether the document's value stands for the real one: shortened where it ends in …, numbers to two places."""
    if isinstance(shown, dict):
        return isinstance(real, dict) and list(shown) == list(real) and all(alike(shown[k], real[k]) for k in shown)
    if isinstance(shown, list):
        return len(shown) == len(real) and all(alike(*pair) for pair in zip(shown, real, strict=True))
    if isinstance(shown, str):
        beginning, shortened, _ = shown.partition("…")
        return bool(real.startswith(beginning)) if shortened else bool(shown == real)
    return bool(shown == pytest.approx(real, abs=0.01))


def test_each_state_gets_and_gives_what_the_document_shows(deployment: LocalDeployment) -> None:
    content = io.BytesIO()
    Image.fromarray(render("bicycle", 3, 64)).save(content, "PNG")
    bucket = deployment.outputs.data_bucket
    image = {"s3_bucket": bucket, "s3_key": "life/bicycle.png"}
    deployment.session.client("s3").put_object(Bucket=bucket, Key=image["s3_key"], Body=content.getvalue())
    real = lived(deployment, image)
    lived(deployment, image | {"threshold": 1})
    real.append(message(deployment, deployment.outputs.review_queue_url))
    lived(deployment, image | {"s3_key": "life/nowhere.png"})
    real.append(message(deployment, deployment.outputs.failure_queue_url))
    assert [(a, b) for a, b in zip(told(), real, strict=True) if not alike(a, b)] == []
