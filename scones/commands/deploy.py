"""`scones deploy` and `scones destroy`: the stack and its container images, made and unmade."""

import sys
from contextlib import ExitStack
from dataclasses import asdict
from typing import Annotated, Any, Literal

import boto3
import typer

from orchestration import stack, teardown
from orchestration.errors import StackMissing
from scones import aws, console, container_images, options, pipeline
from scones.settings import Settings, Target


def deploy(
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold", min=0.5, max=1, help="The least confidence that passes without review [default: 0.94]."
        ),
    ] = None,
    architecture: Annotated[
        Literal["x86_64", "arm64"] | None,
        typer.Option("--architecture", help="What the functions run on [default: the stack's own, else x86_64]."),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", metavar="NAME=VALUE", help="One of the template's parameters; may be repeated."),
    ] = None,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    yes: options.YesOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Create or update the stack: bucket, queues, functions, state machines. Shows the changes before it makes them.

    On AWS the functions' images are built and pushed to ECR first, unless ECR has them; locally nothing is pushed.
    What is not named keeps the value that the stack has.
    Example: `scones deploy --target aws --threshold 0.9 --parameter WorkflowType=EXPRESS`
    """
    settings = options.settings(target, stack_name, home)
    session = aws.session(settings)
    parameters: dict[str, str] = {} if architecture is None else {"Architecture": architecture}
    if threshold is not None:
        parameters["Threshold"] = str(threshold)
    parameters |= _named(parameter or [])
    addresses: dict[str, str] = {}
    if settings.target is Target.AWS:
        held = stack.parameters_of(session.client("cloudformation"), settings.stack)
        chosen = parameters.get("Architecture") or held.get("Architecture", "x86_64")
        published = container_images.publish(session, settings, container_images.SERVICES, chosen)
        addresses = {name: image.uri for name, image in published.items()}
        parameters = {
            **{f"{name.capitalize()}ImageUri": uri for name, uri in addresses.items()},
            "InferenceRepository": container_images.repository(settings, container_images.INFERENCE),
            **parameters,
        }
    deployment = _deployed(session, settings, parameters, yes=yes)
    if not deployment.changes:
        console.err.print("nothing to change: the stack is up to date")
    if as_json:
        changes = [asdict(change) for change in deployment.changes]
        found = {"stack": settings.stack, "changed": bool(changes), "changes": changes, "images": addresses}
        console.print_json(found | {"outputs": deployment.outputs})
    else:
        console.tell(deployment.outputs, as_json=False)


def _deployed(session: boto3.Session, settings: Settings, parameters: dict[str, str], *, yes: bool) -> stack.Deployment:
    """Deploy with a bar that rests while the user is asked; an interruption ends the following, not the deployment."""
    with ExitStack() as bar:
        advance = bar.enter_context(console.progress("comparing with what is deployed"))
        total = done = 0

        def show(changes: tuple[stack.Change, ...]) -> None:
            nonlocal advance, total
            bar.close()
            for change in changes:
                console.err.print(_told(change), highlight=False, soft_wrap=True)
            options.confirm("Apply these changes?", settings, yes=yes)
            advance, total = bar.enter_context(console.progress("applying")), len(changes)

        def follow(event: stack.StackEvent) -> None:
            nonlocal done
            done += event.status.endswith("_COMPLETE")
            advance(min(done, total), total)
            _tell_event(event)

        try:
            return pipeline.deploy_stack(session, settings, parameters, show, follow)
        except KeyboardInterrupt:
            bar.close()
            if total:
                console.err.print("CloudFormation goes on with the deployment; only the following of it has ended")
            raise


def _told(change: stack.Change) -> str:
    notes = {"True": "  [yellow]replaced by a new one[/]", "Conditional": "  [yellow]may be replaced[/]"}
    note = notes.get(change.replacement or "", "")
    return f"  {change.action:7} {change.resource_type:38} {change.resource}{note}"


def _named(given: list[str]) -> dict[str, str]:
    """Read NAME=VALUE; CloudFormation itself names a parameter that the template does not have."""
    for item in given:
        if "=" not in item:
            raise typer.BadParameter(f"'{item}' is not NAME=VALUE", param_hint="--parameter")
    return dict(item.split("=", 1) for item in given)


def destroy(
    with_images: Annotated[
        bool, typer.Option("--images", help="Delete the container images' ECR repositories as well.")
    ] = False,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    yes: options.YesOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Delete the endpoint, every object in the stack's buckets, the stack and its logs; asks first.

    Example: `scones destroy --target aws --images`
    """
    settings = options.settings(target, stack_name, home)
    session = aws.session(settings)
    cloudformation = session.client("cloudformation")
    buckets, groups, is_there = _found(cloudformation, settings.stack)
    if not is_there and not (with_images and settings.target is Target.AWS):
        raise StackMissing(settings.stack)
    if not yes and (settings.target is Target.AWS or sys.stdin.isatty()):
        typer.confirm(_question(settings, buckets, with_images=with_images), abort=True, err=True)
    gone = _delete_endpoint(session, settings)
    if is_there:
        with console.progress("deleting objects") as advance:
            teardown.delete_stack(
                cloudformation,
                session.client("s3"),
                settings.stack,
                on_deleted=lambda count: advance(count, count),
                on_event=_tell_event,
                poll=0.2 if settings.target is Target.LOCAL else 3.0,
            )
        gone.append(settings.stack)
    groups.append(f"/aws/sagemaker/Endpoints/{settings.endpoint_name}")
    gone += teardown.delete_log_groups(session.client("logs"), groups)
    gone += _delete_images(session, settings, wanted=with_images)
    if as_json:
        console.print_json({"deleted": gone})
    else:
        console.err.print(f"gone: {', '.join(gone)}", highlight=False, soft_wrap=True)


def _found(cloudformation: Any, name: str) -> tuple[list[str], list[str], bool]:
    """Return the stack's buckets and log groups, and whether there is a stack."""
    try:
        stack.outputs(cloudformation, name)
    except StackMissing:
        return [], [], False
    kinds = ("AWS::S3::Bucket", "AWS::Logs::LogGroup")
    buckets, groups = (teardown.resources(cloudformation, name, kind) for kind in kinds)
    return buckets, groups, True


def _question(settings: Settings, buckets: list[str], *, with_images: bool) -> str:
    parts = [f"the stack {settings.stack}", f"the endpoint {settings.endpoint_name}"]
    parts += [f"every object in {bucket}" for bucket in buckets]
    parts += ["every image in its ECR repositories"] if with_images else []
    return f"This deletes {', '.join(parts)}, for good. Go on?"


def _delete_endpoint(session: boto3.Session, settings: Settings) -> list[str]:
    from training import endpoint_deployment  # noqa: PLC0415
    from training.errors import EndpointMissing  # noqa: PLC0415

    try:
        return endpoint_deployment.delete(session, settings.endpoint_name)
    except EndpointMissing:
        return []


def _delete_images(session: boto3.Session, settings: Settings, *, wanted: bool) -> list[str]:
    names = [
        container_images.repository(settings, name) for name in (*container_images.SERVICES, container_images.INFERENCE)
    ]
    if settings.target is not Target.AWS:
        return []
    if not wanted:
        console.err.print(
            f"images that were pushed to {names[0]} and its like stay in ECR, where they cost cents a month: "
            "`scones destroy --images` deletes them",
            highlight=False,
            soft_wrap=True,
        )
        return []
    from orchestration.container_images import delete_repositories  # noqa: PLC0415

    return delete_repositories(session.client("ecr"), names)


def _tell_event(event: stack.StackEvent) -> None:
    if event.status.endswith(("_COMPLETE", "_FAILED")):
        console.err.print(
            f"  {event.status:20} {event.resource} {console.escape(event.reason)}", highlight=False, style="dim"
        )
