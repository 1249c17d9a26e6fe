"""The stack under test: the one that the environment names, as inside its network, else one of our own."""

import io
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import boto3
import localstack_client.session  # type: ignore[import-untyped]  # it has no types
import pytest
from PIL import Image

from tests.e2e.compose import Project, engine_answers
from tests.ports import reserved_ports

STACK = "scones"
TERMINAL = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"})


@dataclass(frozen=True)
class Site:
    """AWS as a client outside sees it: LocalStack through its own client library, SageMaker through boto3."""

    localstack: Any
    localstack_url: str
    sagemaker_url: str
    mailbox: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service.startswith("sagemaker"):
            keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
            return boto3.client(service, region_name="us-east-1", endpoint_url=self.sagemaker_url, **keys)
        return self.localstack.client(service)

    def outputs(self) -> dict[str, str]:
        (stack,) = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def start(self, value: Any, machine: str = "StateMachineArn", name: str = "") -> str:
        arn: str = self.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs()[machine], name=name or str(uuid4()), input=json.dumps(value)
        )["executionArn"]
        return arn

    def ended(self, arn: str, seconds: float = 600) -> dict[str, Any]:
        client, deadline = self.client("stepfunctions"), time.monotonic() + seconds
        while (result := client.describe_execution(executionArn=arn))["status"] not in TERMINAL:
            assert time.monotonic() < deadline, f"{arn} is {result['status']} after {seconds:.0f} s"
            time.sleep(0.2)
        return dict(result)

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """Take every message out of a queue and return all that were ever there."""
        sqs, url = self.client("sqs"), self.outputs()[queue]
        box = self.mailbox.setdefault(queue, [])
        while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                box.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return box

    def messages_of(self, arn: str) -> dict[str, int]:
        return {
            queue: sum(message["execution_arn"] == arn for message in self.messages(queue))
            for queue in ("ReviewQueueUrl", "FailureQueueUrl")
        }

    def put(self, key: str, content: bytes) -> dict[str, str]:
        bucket = self.outputs()["DataBucket"]
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
        return {"s3_bucket": bucket, "s3_key": key}


@pytest.fixture(scope="session")
def project() -> Iterator[Project | None]:
    """A project of our own, gone afterwards with all that it made, or None if the environment names a stack."""
    if "SCONES_LOCALSTACK_URL" in os.environ:
        yield None
        return
    if not engine_answers():
        pytest.skip("no Docker engine answers")
    with reserved_ports(3) as ports:
        fresh = Project(f"scones-e2e-{uuid4().hex[:8]}", *ports)
        try:
            fresh.compose("up", "--detach", "--build", "--wait", "--quiet-pull")
            yield fresh
        finally:
            fresh.compose("--profile", "e2e", "--profile", "review", "down", "--volumes", "--timeout", "2")
            fresh.forget_images()
            assert fresh.left() == []


@pytest.fixture(scope="session")
def site(project: Project | None) -> Site:
    if project is None:
        local, sagemaker = os.environ["SCONES_LOCALSTACK_URL"], os.environ["SCONES_SAGEMAKER_URL"]
    else:
        local = f"http://127.0.0.1:{project.localstack_port}"
        sagemaker = f"http://127.0.0.1:{project.sagemaker_port}"
    return Site(localstack_client.session.Session(localstack_host=urlsplit(local).netloc), local, sagemaker)


@pytest.fixture(scope="session")
def samples(site: Site) -> list[dict[str, str]]:
    """The rendered vehicles that `deploy` put there, as inputs of executions."""
    bucket = site.outputs()["DataBucket"]
    listed = site.client("s3").list_objects_v2(Bucket=bucket, Prefix="samples/")["Contents"]
    return [{"s3_bucket": bucket, "s3_key": entry["Key"]} for entry in listed]


@pytest.fixture
def unsure() -> Callable[[int], bytes]:
    """Pictures of noise, none like another: whatever the model says of them, it says in the contract's terms."""

    def image_bytes(seed: int) -> bytes:
        content = io.BytesIO()
        noise = random.Random(seed).randbytes(32 * 32 * 3)
        Image.frombytes("RGB", (32, 32), noise).save(content, "PNG")
        return content.getvalue()

    return image_bytes
