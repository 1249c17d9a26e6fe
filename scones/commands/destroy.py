"""`scones destroy`."""

import sys
from typing import Annotated

import typer

from core.s3_uris import S3Uri, has_objects
from orchestration import bootstrap, container_images, stack, stack_outputs, teardown
from orchestration.errors import StackNotFound, StackProtected
from review import labelled_dataset
from scones import console, container_image_uris
from scones.context import CommandContext
from scones.options import with_context
from scones.settings import Target
from scones.views.stack_changes import show_event
from training import endpoint_deployment


@with_context("target", "stack", "home", "yes", "as_json")
def destroy(
    context: CommandContext,
    with_images: Annotated[
        bool, typer.Option("--images", help="Also delete the container images in ECR, which other stacks may use.")
    ] = False,
    with_bootstrap: Annotated[
        bool, typer.Option("--bootstrap", help="Also delete the bootstrap stack: artifact bucket, ECR repositories.")
    ] = False,
) -> None:
    """Delete the endpoint, the stack, its objects and its logs.

    Lists what it deletes and asks for confirmation; without a terminal, only on AWS.

    Example: `scones destroy --target aws --images`
    """
    settings, on_aws = context.settings, context.settings.target is Target.AWS
    buckets, log_groups, has_stack = _resources(context)
    if not has_stack and not (on_aws and (with_images or with_bootstrap)):
        raise StackNotFound(settings.stack, context.session.region_name)
    if stack.is_protected(context.client("cloudformation"), settings.stack):  # before the buckets are emptied
        raise StackProtected(settings.stack)
    if not context.yes and (on_aws or sys.stdin.isatty()):
        question = _question(context, buckets, with_images=with_images, with_bootstrap=with_bootstrap)
        typer.confirm(question, abort=True, err=True)
    endpoint = context.endpoint_name  # read before the stack is gone
    deleted = endpoint_deployment.delete(context.session, endpoint)
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
        deleted += _delete_shared(context, with_images=with_images, with_bootstrap=with_bootstrap)
    console.print_deleted(deleted, as_json=context.as_json)


def _resources(context: CommandContext) -> tuple[list[str], list[str], bool]:
    """Return the stack's buckets and log groups, and whether there is a stack."""
    cloudformation, name = context.client("cloudformation"), context.settings.stack
    try:
        stack_outputs.output_values(cloudformation, name)
    except StackNotFound:
        return [], [], False
    kinds = ("AWS::S3::Bucket", "AWS::Logs::LogGroup")
    buckets, log_groups = (teardown.resources(cloudformation, name, kind) for kind in kinds)
    return buckets, log_groups, True


def _question(context: CommandContext, buckets: list[str], *, with_images: bool, with_bootstrap: bool) -> str:
    parts = [f"the stack {context.settings.stack}", f"the endpoint {context.endpoint_name}"]
    parts += [f"every object in {bucket}{_labels(context, bucket)}" for bucket in buckets]
    parts += ["every container image in ECR, for all stacks"] if with_images or with_bootstrap else []
    parts += ["the bootstrap stack"] if with_bootstrap else []
    return f"This deletes {', '.join(parts)}, permanently. Continue?"


def _labels(context: CommandContext, bucket: str) -> str:
    """Mention the labels of reviewed images, which cannot be recreated."""
    has_labels = has_objects(context.client("s3"), S3Uri(bucket, f"{labelled_dataset.PREFIX}/"))
    return f", with the labels of reviewed images in {labelled_dataset.PREFIX}" if has_labels else ""


def _delete_shared(context: CommandContext, *, with_images: bool, with_bootstrap: bool) -> list[str]:
    """Delete what the stacks of an account share, if the options say so."""
    if with_bootstrap:
        existed = teardown.delete_stack(
            context.client("cloudformation"),
            context.client("s3"),
            bootstrap.STACK,
            on_event=show_event,
            poll=context.settings.poll_seconds,
        )
        return [bootstrap.STACK] if existed else []
    repositories = [container_image_uris.repository(name) for name in container_image_uris.ALL]
    if with_images:
        return container_images.delete_images(context.client("ecr"), repositories)
    console.note(
        f"container images remain in ECR repositories such as {repositories[0]}, for some cents a month: "
        "delete them with `scones destroy --images`"
    )
    return []
