"""Deploys what a command asks for: compares a job's model with the one in service, confirms the cost, deploys."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3
import typer

from core.defaults import ENDPOINT_INSTANCE_TYPE
from scones import console, container_image_uris, model_comparison
from scones.context import CommandContext
from scones.cost_confirmation import BilledInstances, confirm_cost
from scones.endpoint_lifecycle import EndpointLifecycle
from scones.errors import NotComparable
from scones.model_serving import LOCAL_IMAGE, deploy_endpoint
from scones.settings import Target
from training import endpoint_deployment, jobs
from training.endpoint_spec import EndpointOptions
from training.errors import EndpointNotFound
from training.vehicle_net.package import SHIPPED, check


@dataclass(frozen=True)
class EndpointRequest:
    """A model and how it is served: that of a training job, an artifact in S3, or a model directory.

    ``options.instances`` is the least number of instances; ``maximum`` turns auto scaling on; ``ttl`` is a duration.
    """

    options: EndpointOptions
    model_dir: Path = SHIPPED
    job: str | None = None
    artifact: str | None = None
    image: str | None = None
    instance_type: str = ENDPOINT_INSTANCE_TYPE
    capture_percent: int = 100
    maximum: int | None = None
    ttl: str | None = None
    role: str | None = None


def deploy(context: CommandContext, request: EndpointRequest) -> dict[str, Any]:
    """Create or update the endpoint, wait until it is in service, and return its status with schedule and scaling.

    Raises IncompleteModel before anything is created if the model directory is no model.
    """
    if request.job is None and request.artifact is None:
        check(request.model_dir)
    session, minimum = context.session, request.options.instances
    lifecycle = EndpointLifecycle(session, context.outputs, context.endpoint_name, request.maximum, request.ttl)
    if request.job is not None:
        _confirm_model(context, request.job)
    confirm_cost(context, [_billed_instances(context, request)])
    artifact, image = _model_and_image(session, request)
    image = image or container_image_uris.inference_uri(session, context.settings, request.instance_type) or LOCAL_IMAGE
    lifecycle.prepare()
    with console.progress("creating the endpoint"):
        status = deploy_endpoint(
            session, context.outputs, model_dir=request.model_dir, model_artifact=artifact, image_uri=image,
            instance_type=request.instance_type, capture_percent=request.capture_percent, options=request.options,
            role_arn=request.role,
        )  # fmt: skip
    return asdict(status) | lifecycle.apply(minimum)


def _confirm_model(context: CommandContext, job: str) -> None:
    """Compare the job's model with the one that is served, and ask before one is deployed that is not better."""
    try:
        with console.progress("comparing the models") as advance:
            models = model_comparison.compare_with_served(context.session, context.outputs, job, advance)
    except NotComparable as error:
        console.note(f"not compared: {error}")
        return
    for name, sentence in model_comparison.sentences(models).items():
        console.note(f"{name}: {sentence}")
    if not models.comparison.is_better and not context.yes:
        typer.confirm("Deploy a model that is not shown to be better?", abort=True, err=True)


def _model_and_image(session: boto3.Session, request: EndpointRequest) -> tuple[str | None, str | None]:
    """Return what to serve, from the training job where one is named. Raises JobNotFound, JobFailed."""
    if request.job is None:
        return request.artifact, request.image
    status = jobs.completed_status(session, request.job)
    return status.model_artifact, request.image or (status.training_image if status.is_builtin else None)


def _billed_instances(context: CommandContext, request: EndpointRequest) -> BilledInstances:
    """Return the billed instances; an update starts new ones before it stops the old, and needs quota for both."""
    generations = 2 if context.settings.target is Target.AWS and _is_deployed(context) else 1
    minimum, maximum, ttl = request.options.instances, request.maximum, request.ttl
    billing_note = f"until it is deleted in {ttl}" if ttl else "until `scones endpoint delete`"
    count = f", {minimum} to {maximum} of them" if maximum else f", {minimum} of them" if minimum > 1 else ""
    return BilledInstances(
        request.instance_type, "endpoint", billing_note + count, quota=generations * (maximum or minimum)
    )


def _is_deployed(context: CommandContext) -> bool:
    try:
        endpoint_deployment.status(context.session, context.endpoint_name)
    except EndpointNotFound:
        return False
    return True
