"""`scones rehearse`."""

from pathlib import Path
from typing import Annotated

import typer

from core.defaults import ENDPOINT_INSTANCE_TYPE
from core.files import ensure_writable_file, write_atomically
from core.named_values import parse_named_values
from scones import console, options, training_jobs
from scones.context import CommandContext
from scones.cost_confirmation import BilledInstances, confirm_cost
from scones.options import with_context
from scones.rehearsal_plan import rehearsal_plan
from scones.views import rehearsal as view
from training import rehearsal
from training.request_recorder import RequestRecorder


@with_context("target", "stack", "home", "yes", "as_json")
def rehearse(
    context: CommandContext,
    recipe: options.RecipeOption = "vehicle-net",
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Number of epochs.")] = 2,
    hyperparameter: options.HyperparameterOption = None,
    dataset: options.DatasetOption = None,
    instance_type: options.TrainingInstanceOption = None,
    write: Annotated[Path | None, typer.Option("--write", help="File for the list of calls, as Markdown.")] = None,
) -> None:
    """Run the whole lifecycle of a model on a temporary endpoint.

    Trains, deploys, invokes, scales, updates and deletes, with the same calls as production. On AWS, shows the prices
    and asks for confirmation.

    Example: `scones rehearse --hyperparameter backbone=tiny`
    """
    session, settings, outputs = context.session, context.settings, context.outputs
    if write is not None:
        ensure_writable_file(write)
    job = training_jobs.job_spec(
        session, settings, outputs, recipe, parse_named_values(hyperparameter or ()),
        dataset=dataset, instance_type=instance_type, epochs=epochs,
    )  # fmt: skip
    endpoint = BilledInstances(ENDPOINT_INSTANCE_TYPE, "endpoint", "until the rehearsal deletes it, two hours at most")
    confirm_cost(context, [training_jobs.billed_instances(job), endpoint])
    plan = rehearsal_plan(session, settings, outputs, job)
    recorder = RequestRecorder(session)
    with console.progress("rehearsing"):
        outcome = rehearsal.rehearse(session, plan, lambda line: console.note(f"  {line.rstrip()}", "dim"))
    if write is not None:
        write_atomically(write, view.page(recorder, view.hosts(session)))
    context.print_values(
        {
            "job": outcome.job,
            "artefact": outcome.model_artifact,
            "metrics": outcome.metrics,
            "invocations": outcome.invocations,
            "captured": outcome.captured,
            "gone": outcome.deleted,
        }
    )
