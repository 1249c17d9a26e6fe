"""`scones train`."""

from typing import Annotated, Any

import typer

from core.named_values import parse_named_values
from scones import console, cost_confirmation, endpoint_requests, options, training_jobs
from scones.context import CommandContext
from scones.endpoint_requests import EndpointRequest
from scones.options import with_context
from training import jobs, recipes
from training.endpoint_spec import EndpointOptions
from training.jobs import JobStatus


@with_context("target", "stack", "home", "yes", "as_json")
def train(  # noqa: PLR0913, PLR0917 - a command's options
    context: CommandContext,
    recipe: options.RecipeOption = "vehicle-net",
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help="Number of epochs [default: the recipe's].")
    ] = None,
    hyperparameter: options.HyperparameterOption = None,
    dataset: options.DatasetOption = None,
    instance_type: options.TrainingInstanceOption = None,
    spot: Annotated[bool, typer.Option("--spot", help="Managed spot training: cheaper, can be interrupted.")] = False,
    with_reviewed: Annotated[
        bool, typer.Option("--with-reviewed", help="Train on the images labelled in review as well (vehicle-net only).")
    ] = False,
    attach: Annotated[str | None, typer.Option("--attach", metavar="JOB", help="Follow a running job.")] = None,
    deploy: Annotated[
        bool, typer.Option("--deploy", help="Serve the model afterwards, as `scones endpoint deploy --job` does.")
    ] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Submit the job, print its name and exit.")] = False,
    role: options.RoleOption = None,
    kms_key: Annotated[
        str | None, typer.Option("--kms-key", help="KMS key that encrypts the volume and the model artifact.")
    ] = None,
    subnet: options.SubnetOption = None,
    security_group: options.SecurityGroupOption = None,
) -> None:
    """Train a model as a SageMaker training job and follow its log.

    The job runs on a staged dataset; Ctrl-C leaves it running. On AWS, shows the price and asks for confirmation.

    Example: `scones train --recipe vehicle-net --epochs 5 --target aws`
    """
    options.require_vpc_pair(subnet, security_group)
    is_builtin = recipes.get_recipe(recipe).builtin
    if with_reviewed and is_builtin:
        raise typer.BadParameter(f"--with-reviewed: use vehicle-net, {recipe} cannot train on reviewed images")
    if deploy and no_wait:
        raise typer.BadParameter("--deploy waits for the job: omit --no-wait")
    hyperparameters = parse_named_values(hyperparameter or ())
    name, total_epochs = attach, None
    if name is None:
        job = training_jobs.job_spec(
            context.session, context.settings, context.outputs, recipe, hyperparameters,
            dataset=dataset, instance_type=instance_type, epochs=epochs, spot=spot,
            with_reviewed=with_reviewed,
        )  # fmt: skip
        environment = training_jobs.job_environment(context.outputs, role, kms_key, subnet or (), security_group or ())
        cost_confirmation.confirm_cost(context, [training_jobs.billed_instances(job)])
        jobs.submit(context.session, job, environment)
        name, total_epochs = job.name, recipes.max_epochs(job.recipe, job.hyperparameters)
        console.note(f"training job {name}")
    if no_wait:
        context.print_values({"job": name})
        return
    status = training_jobs.follow(context.session, name, total_epochs, context.settings.target)
    summary = _summary(status, nested=context.as_json)
    if deploy:
        summary["endpoint"] = _deploy(context, name, kms_key, subnet, security_group)
    context.print_values(summary)
    console.note("next: scones run IMAGE" if deploy else f"next: scones endpoint deploy --job {name}")


def _deploy(
    context: CommandContext, job: str, kms_key: str | None, subnets: list[str] | None, groups: list[str] | None
) -> str:
    """Serve the job's model, and return the endpoint's name."""
    endpoint_options = EndpointOptions(kms_key, tuple(subnets or ()), tuple(groups or ()), context.outputs.tags)
    return str(endpoint_requests.deploy(context, EndpointRequest(endpoint_options, job=job))["name"])


def _summary(status: JobStatus, *, nested: bool) -> dict[str, Any]:
    metrics = {"metrics": dict(status.metrics)} if nested else dict(status.metrics)
    return {
        "job": status.name,
        "status": status.status,
        **metrics,
        "artefact": status.model_artifact,
        "billed_seconds": status.billable_seconds,
        "epochs": status.epochs,
        "image": status.training_image,
    }
