import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from orchestration.executions import Outcome, S3Image
from scones.recent_executions import BELOW_THRESHOLD, ExecutionHistory, image_reader, read_history, recent, reported
from tests import fake_aws
from tests.scones.fakes import S3

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ARN = "arn:aws:states:us-east-1:000000000000:execution:scones:run-00000-a-png"


def client(service: str) -> Any:
    return boto3.client(service, "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


def outcome(key: str, status: str = "SUCCEEDED", error: str | None = None, **output: Any) -> Outcome:
    return Outcome(S3Image("b", key), ARN, status, output or None, error, None, 100.0)


def test_the_filters_input_has_the_inferences_of_a_failed_execution() -> None:
    entered = json.dumps({"s3_key": "a.png", "inferences": [0.4, 0.6]})
    stepfunctions = client("stepfunctions")
    event = {"timestamp": NOON, "type": "TaskStateEntered", "id": 1, "previousEventId": 0}
    events = [event | {"stateEnteredEventDetails": {"name": "FilterInferences", "input": entered}}]
    with Stubber(stepfunctions) as stub:
        stub.add_response("get_execution_history", {"events": events}, {"executionArn": ARN})
        history = read_history(stepfunctions, ARN)
    assert history.inferences == (0.4, 0.6)
    assert [(visit.name, visit.input_bytes) for visit in history.states] == [("FilterInferences", len(entered))]


@pytest.mark.parametrize("payload", ["[1]", "7", '{"s3_bucket": "b"}', '{"a":' * 100_000])
def test_an_execution_whose_input_names_no_image_is_still_reported(payload: str) -> None:
    stepfunctions = client("stepfunctions")
    machine = "arn:aws:states:us-east-1:000000000000:stateMachine:scones"
    times = {"startDate": NOON, "stopDate": NOON}
    about = {"executionArn": ARN, "stateMachineArn": machine, "name": "run", "status": "FAILED", **times}
    with Stubber(stepfunctions) as stub:
        stub.add_response("list_executions", {"executions": [about]}, {"stateMachineArn": machine, "maxResults": 9})
        stub.add_response("describe_execution", {**about, "input": payload, "error": "InvalidInput"})
        outcomes = recent(stepfunctions, machine, 9)
    assert [(each.error, each.image.s3_key) for each in outcomes] == [("InvalidInput", "an input that names no image")]


def test_each_outcome_is_reported_where_it_ended() -> None:
    outcomes = [
        outcome("a.png", inferences=[0.99, 0.01]),
        outcome("b.png", "FAILED", BELOW_THRESHOLD),
        outcome("c.png", "FAILED", "UnsupportedImage"),
        outcome("d.png", "TIMED_OUT"),
    ]
    histories = {ARN: ExecutionHistory((), (0.4, 0.6))}
    images = reported(outcomes, histories, {"a.png": 0}, lambda image: image.s3_key.encode())
    assert [image.disposition for image in images] == ["accepted", "review", "failure", "other"]
    assert [image.inferences for image in images[:2]] == [(0.99, 0.01), (0.4, 0.6)]
    assert (images[0].label, images[1].label, images[0].content) == (0, None, b"a.png")
    assert images[0].execution == "run-00000-a-png"


def test_a_staged_image_is_read_from_disk_and_no_key_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "data" / "cifar100").mkdir(parents=True)
    (tmp_path / "data" / "cifar100" / "a.png").write_bytes(b"staged")
    (tmp_path / "secret").write_bytes(b"secret")
    s3 = client("s3")
    with Stubber(s3) as stub:
        stub.add_client_error("get_object", "NoSuchKey", http_status_code=404)
        read = image_reader(s3, tmp_path / "data")
        assert read(S3Image("b", "datasets/cifar100/a.png")) == b"staged"
        assert read(S3Image("b", "datasets/../secret")) is None


@pytest.mark.parametrize(
    ("bucket", "key"),
    [("my bucket", "x.jpg"), ("a/b", "x.jpg"), ("a#", "x.jpg"), ("", "x.jpg"), ("b", "")],
)
def test_an_image_of_a_bucket_or_key_that_cannot_exist_is_not_shown(bucket: str, key: str, tmp_path: Path) -> None:
    assert image_reader(client("s3"), tmp_path)(S3Image(bucket, key)) is None


@pytest.mark.parametrize("name", ["long" * 75, "zero\0", ""])
def test_a_key_that_no_file_can_have_as_its_name_is_read_from_s3(name: str, tmp_path: Path) -> None:
    s3 = fake_aws.client("s3", S3(**{f"b/datasets/a/{name}": b"image"}))
    assert image_reader(s3, tmp_path)(S3Image("b", f"datasets/a/{name}")) == b"image"
