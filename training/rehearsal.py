"""The life of a model in one script: train, deploy, ask, find the captures, scale, plan the end, update, delete.

It is told where things are and asks nothing about the target: offline and on AWS it makes the same calls.
"""

import io
import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import boto3
from PIL import Image

from training import endpoint_autoscaling, endpoint_deployment, endpoint_ttl, jobs
from training.endpoint_settings import EndpointStatus, Options
from training.endpoint_settings import Patience as EndpointPatience
from training.errors import CaptureMissing, EndpointMissing, translated

_ACCEPT = "application/json"
_LIFE = timedelta(hours=2)


@dataclass(frozen=True)
class Plan:
    """What is rehearsed: the job, and the endpoint that its model is to serve from.

    ``deletion_role_arn`` is the role of the endpoint's planned end, which outlasts this program; ``capture_uri`` is
    where captures go. Times are in seconds.
    """

    order: jobs.Order
    around: jobs.Surroundings
    endpoint: str
    image_uri: str
    role_arn: str
    deletion_role_arn: str
    capture_uri: str
    instance_type: str = "ml.m5.xlarge"
    options: Options = field(default_factory=Options)
    pictures: int = 8
    capture_seconds: float = 600.0
    job_patience: jobs.Patience = field(default_factory=jobs.Patience)
    endpoint_patience: EndpointPatience = field(default_factory=EndpointPatience)


@dataclass(frozen=True)
class Outcome:
    """What came of it: ``captured`` of ``invocations`` were found in S3, ``gone`` is what was deleted."""

    job: str
    artefact: str
    metrics: dict[str, float]
    invocations: int
    captured: int
    gone: list[str]


def rehearse(session: boto3.Session, plan: Plan, tell: Callable[[str], None] = lambda _: None) -> Outcome:
    """Do it all, and leave no endpoint behind, however it ends. Raises a HostingError."""
    tell(f"training job {plan.order.name}")
    jobs.submit(session, plan.order, plan.around)
    trained = jobs.follow(session, plan.order.name, tell, plan.job_patience)
    artefact = str(trained.artefact)
    try:
        tell(f"endpoint {plan.endpoint}")
        _deploy(session, plan, artefact, capture_percent=100)
        sent = _ask(session, plan)
        tell("captures")
        _await_captures(session, plan, sent)
        tell("scaling and planned end")
        scaling, scheduler = session.client("application-autoscaling"), session.client("scheduler")
        endpoint_autoscaling.scale(scaling, plan.endpoint, endpoint_deployment.VARIANT, 1, 2)
        endpoint_ttl.schedule(scheduler, plan.endpoint, plan.deletion_role_arn, _LIFE)
        tell("update")
        _deploy(session, plan, artefact, capture_percent=50)
        _ask(session, plan)
        tell("delete")
    except BaseException:
        _clear(session, plan)
        raise
    gone = _clear(session, plan)
    return Outcome(plan.order.name, artefact, dict(trained.metrics), 2 * plan.pictures, len(sent), gone)


def _deploy(session: boto3.Session, plan: Plan, artefact: str, *, capture_percent: int) -> EndpointStatus:
    return endpoint_deployment.deploy(
        session,
        name=plan.endpoint,
        image_uri=plan.image_uri,
        model_data_url=artefact,
        role_arn=plan.role_arn,
        capture_uri=plan.capture_uri,
        capture_percent=capture_percent,
        instance_type=plan.instance_type,
        options=plan.options,
        patience=plan.endpoint_patience,
    )


def _clear(session: boto3.Session, plan: Plan) -> list[str]:
    endpoint_autoscaling.forget(session.client("application-autoscaling"), plan.endpoint, endpoint_deployment.VARIANT)
    endpoint_ttl.cancel(session.client("scheduler"), plan.endpoint)
    try:
        return endpoint_deployment.delete(session, plan.endpoint, plan.endpoint_patience)
    except EndpointMissing:
        return []


def _ask(session: boto3.Session, plan: Plan) -> list[str]:
    """Invoke with every picture, and return the inference ids under which the calls are captured."""
    client, sent = session.client("sagemaker-runtime"), []
    with translated("invoke"):
        for picture in _pictures(plan.pictures):
            sent.append(uuid.uuid4().hex)
            answer = client.invoke_endpoint(
                EndpointName=plan.endpoint,
                ContentType="image/png",
                Accept=_ACCEPT,
                InferenceId=sent[-1],
                Body=picture,
            )
            json.loads(answer["Body"].read())
    return sent


def _await_captures(session: boto3.Session, plan: Plan, sent: Sequence[str]) -> None:
    client, began, found = session.client("s3"), time.monotonic(), set[str]()
    with translated("captures"):
        while not found >= set(sent):
            if time.monotonic() - began > plan.capture_seconds:
                raise CaptureMissing(plan.capture_uri, len(set(sent) - found), len(sent), plan.capture_seconds)
            time.sleep(1.0)
            found = set(_captured(client, f"{plan.capture_uri}/{plan.endpoint}/"))


def _captured(client: Any, where: str) -> Iterator[str]:
    """Yield the inference id of every captured call below ``where``."""
    bucket, _, prefix = where.removeprefix("s3://").partition("/")
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", ()):
            body = client.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            for line in body.splitlines():
                yield json.loads(line)["eventMetadata"].get("inferenceId", "")


def _pictures(count: int) -> Iterator[bytes]:
    """Rendered vehicles as PNG, as large as any recipe takes them."""
    from training.data.synthetic import render  # noqa: PLC0415

    for seed in range(count):
        content = io.BytesIO()
        Image.fromarray(render(seed % 2, seed, 224)).save(content, "PNG")
        yield content.getvalue()
