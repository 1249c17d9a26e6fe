"""Rehearses a model's whole life: train, deploy, invoke, wait for captures, scale, schedule deletion, update, delete.

The caller passes every ARN and URI; nothing here depends on the target, so AWS and the emulator get the same calls.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import boto3

from core.defaults import ENDPOINT_INSTANCE_TYPE
from core.s3_uris import S3Uri
from core.waiting import WaiterConfig
from training import endpoint_deployment, jobs
from training.data.synthetic import render_png
from training.endpoint_autoscaling import register_scaling
from training.endpoint_spec import VARIANT, EndpointOptions, EndpointStatus
from training.endpoint_ttl import ScheduleRole, schedule_deletion
from training.errors import CaptureMissing, translate_errors

_TTL = timedelta(hours=2)
_CAPTURE_WAITER = WaiterConfig(timeout_seconds=600.0, poll_seconds=1.0)


@dataclass(frozen=True)
class RehearsalPlan:
    """The training job, and the endpoint that serves its model.

    ``deletion`` is the role that deletes the endpoint if this program is killed.
    """

    job: jobs.TrainingJobSpec
    environment: jobs.JobEnvironment
    endpoint: str
    image_uri: str
    role_arn: str
    deletion: ScheduleRole
    capture_uri: str
    instance_type: str = ENDPOINT_INSTANCE_TYPE
    options: EndpointOptions = field(default_factory=EndpointOptions)
    invocations: int = 8
    job_waiter: WaiterConfig = jobs.JOB_WAITER
    endpoint_waiter: WaiterConfig = endpoint_deployment.ENDPOINT_WAITER
    capture_waiter: WaiterConfig = _CAPTURE_WAITER


@dataclass(frozen=True)
class RehearsalResult:
    """What the rehearsal did: ``captured`` of the first half of the ``invocations``, and the ``deleted`` resources."""

    job: str
    model_artifact: str
    metrics: dict[str, float]
    invocations: int
    captured: int
    deleted: list[str]


def rehearse(
    session: boto3.Session, plan: RehearsalPlan, on_progress: Callable[[str], None] = lambda _: None
) -> RehearsalResult:
    """Run the plan; the endpoint is deleted also after an error, the job is left running. Raises a SageMakerError."""
    on_progress(f"training job {plan.job.name}")
    jobs.submit(session, plan.job, plan.environment)
    try:
        job = jobs.follow(session, plan.job.name, on_progress, plan.job_waiter)
    except KeyboardInterrupt:
        on_progress(jobs.continues(plan.job.name))
        raise
    model_artifact = str(job.model_artifact)
    try:
        on_progress(f"endpoint {plan.endpoint}, and its scheduled deletion")
        schedule_deletion(session.client("scheduler"), plan.endpoint, plan.deletion, _TTL)
        _deploy(session, plan, model_artifact, capture_percent=100)
        inference_ids = _invoke(session, plan)
        on_progress("captures")
        _wait_for_captures(session, plan, inference_ids)
        on_progress("scaling")
        register_scaling(session.client("application-autoscaling"), plan.endpoint, VARIANT, 1, 2)
        on_progress("update")
        _deploy(session, plan, model_artifact, capture_percent=50)
        _invoke(session, plan)
        on_progress("delete")
    finally:
        deleted = endpoint_deployment.delete(session, plan.endpoint, plan.endpoint_waiter)
    return RehearsalResult(
        job=plan.job.name,
        model_artifact=model_artifact,
        metrics=dict(job.metrics),
        invocations=2 * plan.invocations,
        captured=len(inference_ids),
        deleted=deleted,
    )


def _deploy(
    session: boto3.Session, plan: RehearsalPlan, model_artifact: str, *, capture_percent: int
) -> EndpointStatus:
    return endpoint_deployment.deploy(
        session,
        name=plan.endpoint,
        image_uri=plan.image_uri,
        model_data_url=model_artifact,
        role_arn=plan.role_arn,
        capture_uri=plan.capture_uri,
        capture_percent=capture_percent,
        instance_type=plan.instance_type,
        options=plan.options,
        waiter=plan.endpoint_waiter,
    )


def _invoke(session: boto3.Session, plan: RehearsalPlan) -> list[str]:
    """Invoke the endpoint with rendered images and return the inference IDs, which identify the captures."""
    client, inference_ids = session.client("sagemaker-runtime"), []
    with translate_errors("invoke"):
        for image in _render_images(plan.invocations):
            inference_ids.append(uuid.uuid4().hex)
            response = client.invoke_endpoint(
                EndpointName=plan.endpoint,
                ContentType="image/png",
                Accept="application/json",
                InferenceId=inference_ids[-1],
                Body=image,
            )
            json.loads(response["Body"].read())
    return inference_ids


def _wait_for_captures(session: boto3.Session, plan: RehearsalPlan, inference_ids: Sequence[str]) -> None:
    client, waiter = session.client("s3"), plan.capture_waiter
    uri = S3Uri.parse(f"{plan.capture_uri}/{plan.endpoint}/")
    started, missing = waiter.clock(), set(inference_ids)
    with translate_errors("captures"):
        while missing := missing - set(_captured_inference_ids(client, uri)):
            if waiter.clock() - started > waiter.timeout_seconds:
                raise CaptureMissing(plan.capture_uri, len(missing), len(inference_ids), waiter.timeout_seconds)
            waiter.sleep(waiter.poll_seconds)


def _captured_inference_ids(client: Any, uri: S3Uri) -> Iterator[str]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=uri.bucket, Prefix=uri.key):
        for entry in page.get("Contents", ()):
            body = client.get_object(Bucket=uri.bucket, Key=entry["Key"])["Body"].read()
            for line in body.splitlines():
                yield json.loads(line)["eventMetadata"].get("inferenceId", "")


def _render_images(count: int) -> Iterator[bytes]:
    """Yield rendered vehicles as PNG, of the largest side that any recipe requires."""
    for seed in range(count):
        yield render_png(seed % 2, seed, 224)
