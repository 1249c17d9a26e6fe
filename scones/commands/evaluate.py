"""`scones evaluate`."""

import json
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import typer

from core.files import ensure_writable_folder, write_atomically
from monitoring.report.page import write as write_page
from scones import console, endpoint_evaluation, images_of_neither, model_comparison, staged_datasets
from scones.context import CommandContext
from scones.options import SyntheticOption, with_context
from scones.views.evaluation import evaluation_table


@with_context("archive", "target", "stack", "home", "as_json")
def evaluate(  # noqa: PLR0913, PLR0917 - a command's options
    context: CommandContext,
    count: Annotated[int, typer.Option("--sample", min=1, help="Number of images, balanced over the classes.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="Use every image of the split.")] = False,
    split: Annotated[Literal["train", "test"], typer.Option("--split", help="Split of the dataset.")] = "train",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the sample.")] = 0,
    target_accuracy: Annotated[
        float,
        typer.Option("--target-accuracy", min=0.5, max=1.0, help="Accuracy that the recommended threshold must reach."),
    ] = 0.99,
    neither: Annotated[
        int, typer.Option("--neither", min=0, help="Number of images of each kind that shows neither class.")
    ] = 20,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for evaluation.html, evaluation.json and the plots.")
    ] = Path("out/evaluation"),
    synthetic: SyntheticOption = False,
    job: Annotated[
        str | None,
        typer.Option("--job", metavar="JOB", help="Compare a training job's model with the endpoint's."),
    ] = None,
) -> None:
    """Measure the deployed endpoint's accuracy on labelled images.

    Shows intervals, calibration, accepted images of neither class, and the threshold that reaches a target accuracy.

    With `--job`, compares two models on all test images of the job's dataset, and on images of neither class if these
    are staged; the other options have no effect.

    Example: `scones evaluate --sample 200 --split test --target-accuracy 0.995`
    """
    if job is not None:
        _print_comparison(context, job)
        return
    outputs = context.outputs
    ensure_writable_folder(out)
    with console.progress("staging") as advance:
        source = staged_datasets.choose_source(context.settings, advance, synthetic=synthetic, labels=outputs.labels)
        staged = staged_datasets.write_to_disk(source, context.settings, advance)
    images = staged_datasets.labelled_files(staged, split)
    chosen = images if everything else staged_datasets.sample(images, lambda image: image.label, count, seed)
    with console.progress("classifying") as advance, tempfile.TemporaryDirectory() as folder:
        of_neither = images_of_neither.write_images(Path(folder), staged, neither) if neither else {}
        reported, reported_of_neither = endpoint_evaluation.classify_all(
            context.session, outputs, chosen, of_neither, advance
        )
    with console.progress("drawing"):
        title = f"{source.dataset}, {len(reported)} {split} images"
        content = endpoint_evaluation.page_content(
            context.settings, outputs, reported, title, split, target_accuracy, reported_of_neither
        )
        written = write_page(content, out, "evaluation")
    figures = endpoint_evaluation.figures(content)
    figures |= {"dataset": source.dataset, "split": split, "seed": None if everything else seed}
    write_atomically(out / "evaluation.json", json.dumps(figures, indent=2) + "\n")
    if context.as_json:
        console.print_json(figures)
    else:
        console.out.print(evaluation_table(content, source.dataset, split, written.page))


def _print_comparison(context: CommandContext, job: str) -> None:
    with console.progress("comparing") as advance:
        models = model_comparison.compare_with_served(context.session, context.outputs, job, advance)
    context.print_values(model_comparison.figures(models) if context.as_json else model_comparison.sentences(models))
