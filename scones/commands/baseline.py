"""`scones baseline`: note down how the model answers, and what its images look like, while all is well."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from core.labels import Labels, parse_labels
from monitoring import capture
from monitoring.baseline import Baseline, CalibrationReference
from monitoring.image_statistics import ImageStatistics, measure
from monitoring.window import InferenceWindow
from scones import __version__, aws, console, model_baseline, options, pipeline
from scones.commands import monitor
from scones.settings import Settings


def baseline(  # noqa: PLR0913, PLR0917 - each is an option
    model: Annotated[
        Path, typer.Option("--model", help="Folder with model.onnx and model.json.", show_default="the shipped model")
    ] = pipeline.SHIPPED_MODEL,
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Have the model answer rendered vehicles, to baseline-synthetic.json.")
    ] = False,
    captured: Annotated[
        bool,
        typer.Option("--captured", help="Take what the endpoint captured in a quiet time, to S3 beside its model."),
    ] = False,
    since: monitor.SinceOption = None,
    begin: monitor.FromOption = None,
    end: monitor.ToOption = None,
    endpoint: monitor.EndpointOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write [default: baseline.json beside the model].")
    ] = None,
    archive: options.ArchiveOption = None,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Write the baseline that `scones monitor` compares with.

    The model answers the held-out test images, which it has not seen; `scones endpoint deploy` takes the file along.

    Example: `scones baseline --captured --since 7d`
    """
    if synthetic and captured:
        raise typer.BadParameter("name one of the two", param_hint="--synthetic, --captured")
    settings = options.settings(target, stack_name, home, archive)
    if captured:
        made, where = _captured(settings, since, begin, end, endpoint or settings.endpoint_name, out)
    else:
        made = _of_model(settings, model, synthetic=synthetic)
        path = out or model / ("baseline-synthetic.json" if synthetic else "baseline.json")
        made.write(path)
        where = str(path)
    first, second = made.labels
    told = {"baseline": where, "source": made.source, "answers": made.n, "answers of each label": f"{first}, {second}"}
    told |= {"mean confidence": round(float(made.confidences.mean()), 4)}
    if made.reference is not None:
        told |= {"calibration": f"{made.reference.n} answers, {made.reference.offset:+.4f} from confidence to accuracy"}
    console.tell(told, as_json=as_json)


def of_answers(
    answers: Mapping[int, tuple[float, float]],
    truth: Mapping[int, int],
    images: list[ImageStatistics],
    source: str,
    model: Path,
    reference: CalibrationReference | None = None,
) -> Baseline:
    """Return the baseline of a model's answers, by number, for labelled images that it had not been trained on.

    ``reference`` is that of other predictions with known labels, where there are more than these.
    """
    predicted = {number: int(said[1] > said[0]) for number, said in answers.items()}
    confidences = [max(said) for said in answers.values()]
    right = sum(truth[number] == label for number, label in predicted.items())
    return Baseline.of(
        confidences,
        list(predicted.values()),
        images,
        source=source,
        reference=reference or CalibrationReference.of(confidences, right / max(1, len(answers))),
        model=hashlib.sha256((model / "model.onnx").read_bytes()).hexdigest(),
    )


def cross_validated(model: Path) -> CalibrationReference | None:
    """Read from model.json how the answers of the model's cross-validation did; None where it has had none."""
    metrics = json.loads((model / "model.json").read_bytes()).get("metrics", {})
    if "cross_validation" not in metrics or "reliability" not in metrics:
        return None
    n, bins = int(metrics["cross_validation"]["images"]), metrics["reliability"]
    return CalibrationReference(
        n=n,
        accuracy=float(metrics["cross_validation"]["accuracy"]),
        mean_confidence=sum(share * confidence for confidence, _, share in bins),
        variance=sum(share * confidence * (1 - confidence) for confidence, _, share in bins) / n,
    )


def _of_model(settings: Settings, model: Path, *, synthetic: bool) -> Baseline:
    """Rendered vehicles are drawn anew, so all of them are held out.

    Of staged images only the test split is, but what images look like is learnt from both.
    """
    from training.serving.model import load  # noqa: PLC0415 - ONNX Runtime takes a second to import

    labels = parse_labels(",".join(json.loads((model / "model.json").read_text("utf-8"))["labels"]))
    root, dataset, splits = _staged(settings, labels, synthetic=synthetic)
    held_out = "train" if synthetic else "test"
    looked_at = [(split, path, label) for split, known in splits.items() for path, label in known.items()]
    network, answers, truth, images = load(model, labels=labels), dict[int, tuple[float, float]](), dict[int, int](), []
    with console.progress("answering") as advance:
        for number, (split, path, label) in enumerate(looked_at):
            data = (root / path).read_bytes()
            if split == held_out:
                first, second = network.classify(data)
                answers[number], truth[number] = (first, second), label
            found = measure(data)
            if found is not None:
                images.append(found)
            advance(number + 1, len(looked_at))
    kind = "rendered vehicles" if synthetic else f"held-out test images of {dataset}"
    source = f"the model's answers for {len(answers)} {kind}, and the looks of {len(images)} images"
    return of_answers(answers, truth, images, source, model, None if synthetic else cross_validated(model))


def _captured(
    settings: Settings, since: str | None, begin: str | None, end: str | None, endpoint: str, out: Path | None
) -> tuple[Baseline, str]:
    span = monitor.span_of(since, begin, end, datetime.now(UTC))
    session = aws.session(settings)
    with console.progress("reading captures"):
        place = monitor.place_of(session, endpoint, None)
        window = InferenceWindow.of(capture.CaptureReader(session.client("s3"), place, span.since, span.until))
    made = Baseline.of_window(window, source=f"captured by {endpoint}, {span}")
    if out is not None:
        made.write(out)
        return made, str(out)
    return made, model_baseline.store(session, endpoint, made)


def _staged(settings: Settings, labels: Labels, *, synthetic: bool) -> tuple[Path, str, dict[str, dict[str, int]]]:
    """The folder of staged images, what they are, and for each split the label of each path."""
    from training.data.staging import stage  # noqa: PLC0415

    with console.progress("staging") as advance:
        source = pipeline.choose_source(settings, advance, synthetic=synthetic, labels=labels)
        out = settings.home / "data" / source.dataset
        staged = stage(source, out, progress=advance, tool=f"scones {__version__}")
    known = {
        split: {path: file.label for path, file in staged.manifest.images(split).items() if file.label is not None}
        for split in ("train", "test")
    }
    return staged.path, source.dataset, known
