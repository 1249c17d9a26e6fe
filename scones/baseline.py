"""`scones baseline`: note down how the model answers, and what its images look like, while all is well."""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from monitoring import capture
from monitoring.baseline import Baseline
from monitoring.images import ImageStatistics, measure
from monitoring.window import Window
from scones import __version__, aws, console, monitor, options, pipeline
from scones.errors import AnswersMissing, AnswersUnreadable
from scones.settings import Settings

OUT_OF_FOLD = "out_of_fold.csv"
_COLUMNS = ["file", "label", "bicycle", "motorcycle"]


@dataclass(frozen=True)
class Answered:
    """An image that the model answered without having been trained on it."""

    label: int
    inferences: tuple[float, float]
    image: ImageStatistics | None


def baseline(  # noqa: PLR0913, PLR0917 - each is an option
    model: Annotated[
        Path, typer.Option("--model", help="Folder with model.onnx and model.json.")
    ] = pipeline.SHIPPED_MODEL,
    answers: Annotated[
        Path | None,
        typer.Option("--answers", help=f"Out-of-fold answers of its training [default: {OUT_OF_FOLD} beside it]."),
    ] = None,
    test: Annotated[bool, typer.Option("--test", help="Have the model answer the held-out test images.")] = False,
    synthetic: Annotated[bool, typer.Option("--synthetic", help="Have it answer rendered vehicles.")] = False,
    captured: Annotated[bool, typer.Option("--captured", help="Take what the endpoint captured in a quiet time.")] = (
        False
    ),
    since: monitor.SinceOption = None,
    begin: monitor.FromOption = None,
    end: monitor.ToOption = None,
    endpoint: monitor.EndpointOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="File to write [default: baseline.json, see --model].")] = (
        None
    ),
    archive: options.ArchiveOption = None,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Write the baseline that `scones monitor` compares with.

    Its answers must be for images that the network has not seen: those of cross-validation, unless told otherwise.

    Example: scones baseline --captured --since 7d --out baseline.json
    """
    if test + synthetic + captured > 1:
        raise typer.BadParameter("name one of the three", param_hint="--test, --synthetic, --captured")
    settings = options.settings(target, stack_name, home, archive)
    if captured:
        span = monitor.span_of(since, begin, end, datetime.now(UTC))
        made = _of_captured(settings, span, endpoint or settings.endpoint_name)
    elif test or synthetic:
        made = _of_model(settings, model, synthetic=synthetic)
    else:
        made = _of_cross_validation(settings, model, answers or model / OUT_OF_FOLD)
    path = out or model / ("baseline-synthetic.json" if synthetic else "baseline.json")
    made.write(path)
    bicycles, motorcycles = made.labels
    told = {"baseline": str(path), "source": made.source, "answers": made.n, "accuracy": made.accuracy}
    told |= {"mean confidence": round(float(made.confidences.mean()), 4)}
    console.tell(told | {"bicycles": bicycles, "motorcycles": motorcycles}, as_json=as_json)


def of_answers(answered: list[Answered], source: str, model: Path) -> Baseline:
    """Return the baseline of a model's answers for labelled images that it had not been trained on."""
    predicted = [int(each.inferences[1] > each.inferences[0]) for each in answered]
    right = sum(label == each.label for label, each in zip(predicted, answered, strict=True))
    return Baseline.of(
        [max(each.inferences) for each in answered],
        predicted,
        [each.image for each in answered if each.image is not None],
        source=source,
        accuracy=right / max(1, len(answered)),
        model=hashlib.sha256((model / "model.onnx").read_bytes()).hexdigest(),
    )


def _of_cross_validation(settings: Settings, model: Path, answers: Path) -> Baseline:
    rows = list(_rows(answers))
    root, dataset, _ = _staged(settings, synthetic=False)
    answered = []
    for file, label, inferences in rows:
        path = root / "train" / file
        if not path.is_file():
            raise AnswersUnreadable(answers, f"{file} is not among the training images of {dataset}")
        answered.append(Answered(label, inferences, measure(path.read_bytes())))
    return of_answers(answered, f"cross-validated answers for {len(rows)} training images of {dataset}", model)


def _of_model(settings: Settings, model: Path, *, synthetic: bool) -> Baseline:
    """Rendered vehicles are drawn anew, so all of them are held out; of staged images only the test split is."""
    from training.serving.model import load  # noqa: PLC0415 - ONNX Runtime takes a second to import

    root, dataset, splits = _staged(settings, synthetic=synthetic)
    split = "train" if synthetic else "test"
    network, answered = load(model), []
    with console.progress("answering") as advance:
        for number, (path, label) in enumerate(splits[split].items(), start=1):
            data = (root / path).read_bytes()
            bicycle, motorcycle = network.classify(data)
            answered.append(Answered(label, (bicycle, motorcycle), measure(data)))
            advance(number, len(splits[split]))
    kind = "rendered vehicles" if synthetic else f"test images of {dataset}"
    return of_answers(answered, f"the model's answers for {len(answered)} {kind}", model)


def _of_captured(settings: Settings, span: monitor.Span, endpoint: str) -> Baseline:
    session = aws.session(settings)
    with console.progress("reading captures"):
        place = monitor.place_of(session, endpoint, None)
        window = Window.of(capture.Reading(session.client("s3"), place, span.since, span.until))
    return Baseline.of_window(window, source=f"captured by {endpoint}, {span}")


def _staged(settings: Settings, *, synthetic: bool) -> tuple[Path, str, dict[str, dict[str, int]]]:
    """The folder of staged images, what they are, and for each split the label of each path."""
    from training.data.staging import stage  # noqa: PLC0415

    with console.progress("staging") as advance:
        source = pipeline.choose_source(settings, advance, synthetic=synthetic)
        out = settings.home / "data" / source.dataset
        staged = stage(source, out, progress=advance, tool=f"scones {__version__}")
    labels = {
        split: {path: file.label for path, file in staged.manifest.pictures(split).items() if file.label is not None}
        for split in ("train", "test")
    }
    return staged.path, source.dataset, labels


def _rows(path: Path) -> Iterator[tuple[str, int, tuple[float, float]]]:
    """Lines of file, label and the two probabilities, as `train` writes them."""
    if not path.is_file():
        raise AnswersMissing(path)
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        if next(lines, None) != _COLUMNS:
            raise AnswersUnreadable(path, f"its first line is not {','.join(_COLUMNS)}")
        for line in lines:
            try:
                name, label, bicycle, motorcycle = line
                yield name, int(label), (float(bicycle), float(motorcycle))
            except ValueError:
                raise AnswersUnreadable(path, f"line {lines.line_num} is not {','.join(_COLUMNS)}") from None
