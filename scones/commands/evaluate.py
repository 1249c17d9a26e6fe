"""`scones evaluate`: images whose label is known, against the endpoint as it is deployed."""

import json
import math
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from rich.table import Table

from scones import __version__, aws, console, options, pipeline
from scones.commands import report
from scones.errors import EndpointAnsweredNothing
from scones.sampling import sample as draw
from scones.settings import Settings

if TYPE_CHECKING:
    from monitoring.evaluation import Rate
    from monitoring.report import Content, ReportedImage
    from training.data.labelled_images import ImageSource

_WORKERS = 8
_HONEST = {
    "train": "the network was trained on these images, so they flatter it: `scones evaluate --split test` asks it "
    "about images that it has not seen",
    "test": "the network was not trained on these images, though one test image of CIFAR-100 in ten has a near twin "
    "among the training images",
}


@dataclass(frozen=True)
class Labelled:
    """An image on disk and its label."""

    path: Path
    label: int


def evaluate(  # noqa: PLR0913, PLR0917 - each is an option
    count: Annotated[int, typer.Option("--sample", min=1, help="How many images, the classes by turns.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="Every image of the split.")] = False,
    split: Annotated[Literal["train", "test"], typer.Option("--split", help="Which images.")] = "train",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Draws the sample; the same seed, the same images.")] = 0,
    target_accuracy: Annotated[
        float, typer.Option("--target-accuracy", min=0.5, max=1.0, help="What the advised threshold is to reach.")
    ] = 0.99,
    out: Annotated[Path, typer.Option("--out", help="Folder for the page, the plots and evaluation.json.")] = Path(
        "out/evaluation"
    ),
    archive: options.ArchiveOption = None,
    synthetic: Annotated[bool, typer.Option("--synthetic", help="Rendered vehicles, not CIFAR-100.")] = False,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Ask the deployed endpoint about images whose label is known, and say how good it is and how sure that is.

    Example: `scones evaluate --sample 200 --split test --target-accuracy 0.995`
    """
    settings = options.settings(target, stack_name, home, archive)
    session = aws.session(settings)
    deployed = pipeline.deployed(session, settings)
    with console.progress("looking at staged images") as advance:
        source = pipeline.choose_source(settings, advance, synthetic=synthetic, labels=deployed.labels)
        dataset, images = source.dataset, labelled(source, settings, split, advance)
    chosen = images if everything else sampled(images, count, seed)
    with console.progress("asking the endpoint") as advance:
        found = ask(session, deployed.endpoint_name, chosen, deployed.threshold, advance)
    with console.progress("drawing"):
        content = _content(settings, deployed, found, f"{dataset}, {len(found)} {split} images", split, target_accuracy)
        written = report.write(content, out, "evaluation")
    result = figures(content) | {"dataset": dataset, "split": split, "seed": None if everything else seed}
    (out / "evaluation.json").write_text(json.dumps(result, indent=2) + "\n")
    if as_json:
        console.print_json(result)
    else:
        _show(content, dataset, split, written.page)


def labelled(
    source: "ImageSource", settings: Settings, split: Literal["train", "test"], advance: console.Advance
) -> list[Labelled]:
    """Return the images of a split, staged on disk if they are not."""
    from training.data.staging import stage  # noqa: PLC0415 - numpy and Pillow are not for every command

    staged = stage(source, settings.home / "data" / source.dataset, progress=advance, tool=f"scones {__version__}")
    pictures = staged.manifest.images(split)
    return [
        Labelled(staged.path / path, file.label) for path, file in sorted(pictures.items()) if file.label is not None
    ]


def sampled(images: Sequence[Labelled], count: int, seed: int) -> list[Labelled]:
    """Return ``count`` images, the classes by turns; fewer where there are no more."""
    by_name = {str(image.path): image for image in images}
    labels = {name: image.label for name, image in by_name.items()}
    return [by_name[name] for name in draw(sorted(labels), labels, count, seed)]


def ask(
    session: boto3.Session, endpoint: str, images: Sequence[Labelled], threshold: float, advance: console.Advance
) -> "list[ReportedImage]":
    """Send each image to the endpoint, several at a time; one that is not answered says why.

    Raises EndpointAnsweredNothing where none is answered.
    """
    client = session.client("sagemaker-runtime", config=Config(max_pool_connections=_WORKERS))
    found = []
    with ThreadPoolExecutor(_WORKERS) as pool:
        try:
            for done, image in enumerate(pool.map(lambda one: _ask(client, endpoint, one, threshold), images), start=1):
                found.append(image)
                advance(done, len(images))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if not any(image.inferences for image in found):
        raise EndpointAnsweredNothing(endpoint, len(found), (found[0].message or "") if found else "no image was sent")
    return found


def _ask(client: Any, endpoint: str, image: Labelled, threshold: float) -> "ReportedImage":
    """Ask about one image, under an id by which `scones monitor` knows that this is no traffic."""
    from monitoring.capture import EVALUATION, parse_probabilities  # noqa: PLC0415 - numpy, Pillow
    from monitoring.errors import MalformedRecord  # noqa: PLC0415
    from monitoring.report import ReportedImage  # noqa: PLC0415

    content = image.path.read_bytes()
    unanswered = ReportedImage(image.path.name, "failure", label=image.label, content=content)
    try:
        answer = client.invoke_endpoint(
            EndpointName=endpoint,
            ContentType="image/png",
            Accept="application/json",
            Body=content,
            InferenceId=f"{EVALUATION}{uuid.uuid4()}",
        )
        inferences = parse_probabilities(answer["Body"].read().decode(errors="replace"))
    except ClientError as error:
        code, message = error.response["Error"].get("Code", "ClientError"), error.response["Error"].get("Message", "")
        return replace(unanswered, error=code, message=message)
    except HTTPClientError as error:  # one that was not answered in time says nothing of the others
        return replace(unanswered, error=type(error).__name__, message=str(error))
    except MalformedRecord as error:
        return replace(unanswered, error="MalformedInference", message=str(error))
    disposition: Literal["accepted", "review"] = "accepted" if max(inferences) >= threshold else "review"
    return replace(unanswered, disposition=disposition, inferences=inferences)


def _content(
    settings: Settings,
    deployed: pipeline.Deployed,
    images: "Sequence[ReportedImage]",
    title: str,
    split: str,
    target_accuracy: float,
) -> "Content":
    from monitoring.report import Content  # noqa: PLC0415

    failed = Counter(image.error for image in images if image.error)
    return Content(
        title=f"Evaluation: {title}",
        made=datetime.now(UTC),
        threshold=deployed.threshold,
        images=images,
        labels=deployed.labels,
        notes=[_HONEST[split], *(f"{n} of {len(images)} were not answered: {error}" for error, n in failed.items())],
        settings=report.facts(settings, deployed),
        versions=report.versions(),
        target_accuracy=target_accuracy,
    )


def figures(content: "Content") -> dict[str, Any]:
    """Return what ``evaluation.json`` holds; shares are ``null`` where they have no denominator."""
    from monitoring import calibration, evaluation, threshold  # noqa: PLC0415

    answers = content.predictions
    found, reliability = evaluation.evaluate(answers, content.threshold), calibration.calibration(answers)
    advice = threshold.recommend_threshold(answers, content.target_accuracy)
    return {
        "images": len(content.images),
        "answered": len(answers),
        "threshold": content.threshold,
        "accuracy": _rate(found.accuracy),
        "accepted": _rate(found.accepted),
        "accuracy_accepted": _rate(found.accuracy_accepted),
        "confusion": evaluation.confusion(answers),
        "classes": {
            content.labels[each.label]: {
                "accuracy": _rate(each.accuracy),
                "accepted": _rate(each.accepted),
                "median_confidence": None if math.isnan(each.median_confidence) else each.median_confidence,
            }
            for each in evaluation.by_class(answers, content.threshold)
        },
        "calibration": {"ece": reliability.ece, "bins": [asdict(each) for each in reliability.bins]},
        "advice": {
            "target_accuracy": advice.target,
            "threshold": advice.effect.threshold if advice.effect else None,
            "sentence": advice.sentence,
        },
        "notes": list(content.all_notes),
    }


def _rate(rate: "Rate") -> dict[str, Any] | None:
    return asdict(rate) if rate.n else None


def _show(content: "Content", dataset: str, split: str, page: Path) -> None:
    from monitoring import calibration, evaluation, threshold  # noqa: PLC0415

    answers = content.predictions
    found = evaluation.evaluate(answers, content.threshold)
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(overflow="fold")
    rows = [
        ("data", f"{dataset}, {len(answers)} {split} images"),
        ("accuracy", evaluation.describe_rate(found.accuracy)),
        (f"accepted at {content.threshold:g}", evaluation.describe_rate(found.accepted)),
        ("right among accepted", evaluation.describe_rate(found.accuracy_accepted)),
        *(
            (f"{content.labels[each.label]} right", evaluation.describe_rate(each.accuracy))
            for each in evaluation.by_class(answers, content.threshold)
        ),
        ("calibration error", f"{calibration.calibration(answers).ece:.3f}"),
        ("threshold", threshold.recommend_threshold(answers, content.target_accuracy).sentence),
        *(("note", note) for note in content.all_notes),
        ("page", str(page)),
    ]
    for name, value in rows:
        table.add_row(f"[bold]{name}[/]", console.escape(value))
    console.out.print(table)
