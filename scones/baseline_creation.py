"""Makes the baseline that monitoring compares with: of a model's predictions, or of what an endpoint captured."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import boto3

from core.labels import parse_labels
from monitoring import capture
from monitoring.baseline import Baseline, CalibrationReference
from monitoring.image_statistics import ImageStatistics, measure
from monitoring.window import InferenceWindow
from scones import console, staged_datasets
from scones.captured_inferences import capture_location
from scones.settings import Settings
from scones.time_ranges import TimeRange
from training.serving.model import load
from training.vehicle_net.package import check


def of_model(settings: Settings, model: Path, *, synthetic: bool) -> Baseline:
    """Classify images that the model was not trained on, and return the baseline of its predictions.

    Of a staged dataset that is the test split; of rendered vehicles it is every image, because new ones are rendered.
    The image statistics are those of both splits. Raises IncompleteModel, or a DataError without CIFAR-100.
    """
    check(model)
    labels = parse_labels(",".join(json.loads((model / "model.json").read_text("utf-8"))["labels"]))
    with console.progress("staging") as advance:
        source = staged_datasets.choose_source(
            settings, advance, synthetic=synthetic, labels=labels, may_render=synthetic
        )
        staged = staged_datasets.write_to_disk(source, settings, advance)
    splits = {split: staged_datasets.labels_by_path(staged, split) for split in ("train", "test")}
    held_out = "train" if synthetic else "test"
    files = [(split, path, label) for split, known in splits.items() for path, label in known.items()]
    network, images = load(model, labels=labels), list[ImageStatistics]()
    predictions, truth = dict[int, tuple[float, float]](), dict[int, int]()
    with console.progress("classifying") as advance:
        for number, (split, path, label) in enumerate(files):
            data = (staged.path / path).read_bytes()
            if split == held_out:
                first, second = network.classify(data)
                predictions[number], truth[number] = (first, second), label
            statistics = measure(data)
            if statistics is not None:
                images.append(statistics)
            advance(number + 1, len(files))
    kind = "rendered vehicles" if synthetic else f"held-out test images of {source.dataset}"
    description = f"predictions for {len(predictions)} {kind}, and image statistics of {len(images)} images"
    reference = None if synthetic else cross_validation_reference(model)
    return of_predictions(predictions, truth, images, description, model, reference)


def of_predictions(
    predictions: Mapping[int, tuple[float, float]],
    truth: Mapping[int, int],
    images: list[ImageStatistics],
    source: str,
    model: Path,
    reference: CalibrationReference | None = None,
) -> Baseline:
    """Return the baseline of a model's predictions, by number, for labelled images that it was not trained on.

    ``reference`` is the calibration reference, if more predictions with known labels exist than these.
    """
    predicted = {number: int(pair[1] > pair[0]) for number, pair in predictions.items()}
    confidences = [max(pair) for pair in predictions.values()]
    right = sum(truth[number] == label for number, label in predicted.items())
    return Baseline.of(
        confidences,
        list(predicted.values()),
        images,
        source=source,
        reference=reference or CalibrationReference.of(confidences, right / max(1, len(predictions))),
        model=hashlib.sha256((model / "model.onnx").read_bytes()).hexdigest(),
    )


def cross_validation_reference(model: Path) -> CalibrationReference | None:
    """Read the calibration reference from model.json: the model's cross-validation, or None if there was none."""
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


def of_captures(session: boto3.Session, endpoint: str, time_range: TimeRange) -> Baseline:
    """Return the baseline of what an endpoint captured in a time range, by the configuration that it has now."""
    with console.progress("reading captures"):
        location = capture_location(session, endpoint, None)
        if location.configured and location.configured > time_range.since:
            console.note(
                f"{endpoint} has its configuration since {location.configured:%Y-%m-%d %H:%M:%S} UTC: "
                "what it captured before may be another model's and is left out"
            )
            time_range = replace(time_range, since=location.configured)
        time_range = replace(time_range, until=time_range.until or datetime.now(UTC))
        window = InferenceWindow.of(
            capture.CaptureReader(session.client("s3"), location, time_range.since, time_range.until)
        )
    return Baseline.of_window(window, source=f"captured by {endpoint}, {time_range}")
