"""What our plugin changes in LocalStack: answers while an execution begins, logs of functions by the half second."""

import json
import time
from typing import Any
from uuid import uuid4

import pytest

from orchestration.executions import S3Image, wait
from tests.integration.conftest import Running

pytestmark = pytest.mark.integration


def start(running: Running, client: Any) -> str:
    payload = json.dumps({"s3_bucket": "bucket", "s3_key": f"{uuid4().hex}.png"})
    arn: str = client.start_execution(
        stateMachineArn=running.outputs["StateMachineArn"], name=str(uuid4()), input=payload
    )["executionArn"]
    return arn


def test_an_execution_that_has_not_begun_has_no_map_runs_and_is_no_error(scripted: Running) -> None:
    client = scripted.client("stepfunctions")
    arns = []
    for _ in range(15):
        arns.append(start(scripted, client))
        assert client.list_map_runs(executionArn=arns[-1])["mapRuns"] == []
        client.get_execution_history(executionArn=arns[-1])
    outcomes = wait(client, dict.fromkeys(arns, S3Image("", "")))
    assert {outcome.status for outcome in outcomes} == {"SUCCEEDED"}


def test_every_invocation_of_a_function_is_in_its_log(scripted: Running) -> None:
    logs, client = scripted.client("logs"), scripted.client("stepfunctions")
    (group,) = [
        one["logGroupName"]
        for one in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/scripted-filter")["logGroups"]
    ]

    def reports() -> int:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        return sum("REPORT RequestId" in event["message"] for page in pages for event in page["events"])

    before = -1
    while before != (now := reports()):  # other tests' logs may still be on their way
        before = now
        time.sleep(1.5)
    for arn in [start(scripted, client) for _ in range(7)]:
        wait(client, {arn: S3Image("", "")})
    deadline = time.monotonic() + 600
    while reports() < before + 7 and time.monotonic() < deadline:
        time.sleep(0.3)
    assert reports() == before + 7
