"""`scones destroy`."""

import sys
from typing import Annotated

import typer

from orchestration import container_images as registry
from orchestration import stack, teardown
from orchestration.errors import StackMissing
from scones import console, image_names
from scones.context import CommandContext
from scones.endpoint_lifecycle import cancel_deletion, stop_scaling
from scones.options import with_context
from scones.settings import Target
from scones.views.stack_changes import show_event
from training import endpoint_deployment
from training.errors import EndpointMissing


@with_context("target", "stack", "home", "yes", "as_json")
def destroy(
    context: CommandContext,
    with_images: Annotated[bool, typer.Option("--images", help="Also delete the ECR repositories.")] = False,
) -> None:
    """Delete the endpoint, the stack, its objects and its logs.

    Lists what it deletes and asks for confirmation.

    Example: `scones destroy --target aws --images`
    """
    settings, on_aws = context.settings, context.settings.target is Target.AWS
    buckets, log_groups, has_stack = _resources(context)
    if not has_stack and not (with_images and on_aws):
        raise StackMissing(settings.stack)
    if not context.yes and (on_aws or sys.stdin.isatty()):
        typer.confirm(_question(context, buckets, with_images=with_images), abort=True, err=True)
    endpoint = context.endpoint_name  # read before the stack is gone
    deleted = _delete_endpoint(context, endpoint)
    if has_stack:
        with console.progress("deleting objects") as advance:
            teardown.delete_stack(
                context.client("cloudformation"),
                context.client("s3"),
                settings.stack,
                on_deleted=lambda count: advance(count, count),
                on_event=show_event,
                poll=settings.poll_seconds,
            )
        deleted.append(settings.stack)
    log_groups.append(f"/aws/sagemaker/Endpoints/{endpoint}")
    deleted += teardown.delete_log_groups(context.client("logs"), log_groups)
    if on_aws:
        deleted += _delete_images(context, with_images=with_images)
    console.print_deleted(deleted, as_json=context.as_json)


def _resources(context: CommandContext) -> tuple[list[str], list[str], bool]:
    """Return the stack's buckets and log groups, and whether there is a stack."""
    cloudformation, name = context.client("cloudformation"), context.settings.stack
    try:
        stack.outputs(cloudformation, name)
    except StackMissing:
        return [], [], False
    kinds = ("AWS::S3::Bucket", "AWS::Logs::LogGroup")
    buckets, log_groups = (teardown.resources(cloudformation, name, kind) for kind in kinds)
    return buckets, log_groups, True


def _question(context: CommandContext, buckets: list[str], *, with_images: bool) -> str:
    parts = [f"the stack {context.settings.stack}", f"the endpoint {context.endpoint_name}"]
    parts += [f"every object in {bucket}" for bucket in buckets]
    parts += ["every image in its ECR repositories"] if with_images else []
    return f"This deletes {', '.join(parts)}, permanently. Continue?"


def _delete_endpoint(context: CommandContext, name: str) -> list[str]:
    """Delete the endpoint with its scaling and its schedule, which both outlive the stack otherwise."""
    stop_scaling(context.session, name)
    try:
        deleted = endpoint_deployment.delete(context.session, name)
    except EndpointMissing:
        deleted = []
    cancel_deletion(context.session, name)
    return deleted


def _delete_images(context: CommandContext, *, with_images: bool) -> list[str]:
    names = [image_names.repository(context.settings, name) for name in image_names.ALL]
    if with_images:
        return registry.delete_repositories(context.client("ecr"), names)
    console.note(
        f"images in ECR repositories such as {names[0]} stay, at some cents a month: "
        "`scones destroy --images` deletes them"
    )
    return []
