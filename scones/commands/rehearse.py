"""`scones rehearse`: the whole life of a model, from training to deletion, by the calls that production makes."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import boto3
import typer

from scones import aws, console, container_images, cost_confirmation, options, pipeline
from scones.commands import train
from scones.commands.endpoint.deploy import LOCAL_IMAGE
from scones.settings import Settings, Target

if TYPE_CHECKING:
    from training.jobs import TrainingJobSpec
    from training.rehearsal import Plan
    from training.request_recorder import RequestRecorder

_INSTANCE = "ml.m5.xlarge"
_PAGE = """# Which calls ran where
Written by `scones rehearse --write docs/sagemaker-calls.md`; a test runs the rehearsal and holds this page to it.

The script is `training/rehearsal.py`: it trains, serves, asks, finds the captures, scales, plans the end, updates and
deletes, and has no branch on where it runs. These are all the calls it made, in their first order, with the top-level
members that each carried. The test holds every request and every answer to botocore's model, field by field.

| service | call | ran at | said |
|---|---|---|---|
{rows}

**On AWS itself nothing of this has run yet.** `scones rehearse --target aws --write FILE` writes this page about AWS.
Two calls are made there alone, before anything is created: `ListServiceQuotas` and `GetProducts`; botocore's Stubber
holds them to their models.
"""


def rehearse(  # noqa: PLR0913, PLR0917 - a command's options
    recipe: train.RecipeOption = "vehicle-net",
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Epochs of training.")] = 2,
    hyperparameter: train.HyperparameterOption = None,
    dataset: train.DatasetOption = None,
    instance_type: train.InstanceOption = None,
    write: Annotated[Path | None, typer.Option("--write", help="Write which calls ran where, as Markdown.")] = None,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    yes: options.YesOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Train two epochs, deploy, ask, find the captures, scale, update, delete; the stack's own endpoint is untouched.

    On AWS shows the prices and asks first. Example: `scones rehearse --hyperparameter backbone=tiny`
    """
    from training import rehearsal  # noqa: PLC0415
    from training.request_recorder import RequestRecorder  # noqa: PLC0415

    settings = options.settings(target, stack_name, home)
    session = aws.session(settings)
    order = train.ordered(session, settings, recipe, dataset, instance_type, epochs, train.pairs(hyperparameter))
    endpoint = cost_confirmation.Expense(_INSTANCE, "endpoint", "until the rehearsal deletes it, two hours at most")
    cost_confirmation.agree(session, settings, [train.expense(order), endpoint], yes=yes)
    made = plan(session, settings, order)
    recorder = RequestRecorder(session)
    with console.progress("rehearsing"):
        outcome = rehearsal.rehearse(session, made, _say)
    if write is not None:
        write.write_text(page(recorder, places(session)), "utf-8")
    console.tell(
        {
            "job": outcome.job,
            "artefact": outcome.model_artifact,
            "metrics": outcome.metrics,
            "invocations": outcome.invocations,
            "captured": outcome.captured,
            "gone": outcome.deleted,
        },
        as_json=as_json,
    )


def plan(session: boto3.Session, settings: Settings, order: "TrainingJobSpec") -> "Plan":
    """Return what is rehearsed in this stack: an endpoint of its own, beside the one that serves."""
    from training import jobs, recipes  # noqa: PLC0415
    from training.endpoint_settings import EndpointOptions  # noqa: PLC0415
    from training.rehearsal import Plan  # noqa: PLC0415

    deployed = pipeline.deployed(session, settings)
    builtin = recipes.get_recipe(order.recipe.name).builtin
    served = (
        jobs.builtin_image(session)
        if builtin
        else container_images.inference(session, settings, _INSTANCE) or LOCAL_IMAGE
    )
    poll = 0.5 if settings.target is Target.LOCAL else 5.0
    return Plan(
        order,
        train.surroundings(session, settings),
        f"{settings.endpoint_name}-rehearsal",
        image_uri=served,
        role_arn=deployed.endpoint_role_arn,
        deletion_role_arn=train.stack_role(session, settings, "EndpointDeletionRoleArn"),
        capture_uri=f"s3://{deployed.data_bucket}/{pipeline.CAPTURE_PREFIX}",
        instance_type=_INSTANCE,
        options=EndpointOptions(
            tags={"scones:stack": settings.stack}, environment=pipeline.container_environment(deployed.labels)
        ),
        job_waiter=replace(jobs.JOB_WAITER, poll_seconds=poll),
    )


def places(session: boto3.Session) -> Mapping[str, str]:
    """Return what stands at the addresses that this session's clients talk to, where that is not AWS."""
    offline = {"sagemaker_url": "the SageMaker emulator", "localstack_url": "LocalStack"}
    return {getattr(session, name).rstrip("/"): who for name, who in offline.items() if hasattr(session, name)}


def page(recorder: "RequestRecorder", known: Mapping[str, str]) -> str:
    """Return docs/sagemaker-calls.md: each call once, with every member that any of its requests had."""
    members: dict[tuple[str, str, str], set[str]] = {}
    for request in recorder.requests:
        key = (request.service, request.operation, known.get(request.endpoint_url, "AWS"))
        members.setdefault(key, set()).update(request.parameters)
    rows = [
        f"| {service} | {operation} | {where} | {', '.join(sorted(said))} |"
        for (service, operation, where), said in members.items()
    ]
    return _PAGE.format(rows="\n".join(rows))


def _say(line: str) -> None:
    console.err.print(f"  {console.escape(line.rstrip())}", highlight=False, style="dim", soft_wrap=True)
