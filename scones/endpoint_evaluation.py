"""Measures a deployed endpoint on labelled images."""

import math
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from monitoring import calibration, evaluation
from monitoring.capture import EVALUATION, parse_probabilities
from monitoring.errors import MalformedRecord
from monitoring.evaluation import Rate
from monitoring.report import Content, ReportedImage
from orchestration.stack_outputs import StackOutputs
from scones import report_content
from scones.console import Advance
from scones.errors import EndpointReturnedNothing
from scones.settings import Settings
from scones.staged_datasets import LabelledFile

_WORKERS = 8
_SPLIT_NOTES = {
    "train": "the model was trained on these images, so this overstates its accuracy: `scones evaluate --split test` "
    "measures it on images that it has not seen",
    "test": "the model was not trained on these images, though one test image of CIFAR-100 in ten has a near duplicate "
    "among the training images",
}


def classify(
    session: boto3.Session,
    endpoint: str,
    images: Sequence[LabelledFile],
    minimum_confidence: float,
    advance: Advance,
    *,
    workers: int = _WORKERS,
) -> list[ReportedImage]:
    """Send each image to the endpoint, several at a time; one without a prediction has the error instead.

    Raises EndpointReturnedNothing if no image has a prediction.
    """
    client = session.client("sagemaker-runtime", config=Config(max_pool_connections=workers))
    reported: list[ReportedImage] = []
    with ThreadPoolExecutor(workers) as pool:
        try:
            for image in pool.map(lambda one: _classify(client, endpoint, one, minimum_confidence), images):
                reported.append(image)
                advance(len(reported), len(images))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if not any(image.inferences for image in reported):
        reason = (reported[0].message or "") if reported else "no image was sent"
        raise EndpointReturnedNothing(endpoint, len(reported), reason)
    return reported


def classify_all(
    session: boto3.Session,
    outputs: StackOutputs,
    images: Sequence[LabelledFile],
    of_neither: Mapping[str, Sequence[LabelledFile]],
    advance: Advance,
) -> tuple[list[ReportedImage], dict[str, list[ReportedImage]]]:
    """Classify labelled images and images of neither class, the latter by kind. Raises as `classify`."""
    every = [*images, *(image for kind in of_neither.values() for image in kind)]
    reported = classify(session, outputs.endpoint_name, every, outputs.threshold, advance)
    rest = iter(reported[len(images) :])
    return reported[: len(images)], {kind: list(islice(rest, len(own))) for kind, own in of_neither.items()}


def _classify(client: Any, endpoint: str, image: LabelledFile, minimum_confidence: float) -> ReportedImage:
    """Classify one image, with an inference ID by which `scones monitor` excludes it."""
    content = image.path.read_bytes()
    failed = ReportedImage(image.path.name, "failure", label=image.label, content=content)
    try:
        response = client.invoke_endpoint(
            EndpointName=endpoint,
            ContentType="image/png",
            Accept="application/json",
            Body=content,
            InferenceId=f"{EVALUATION}{uuid.uuid4()}",
        )
        inferences = parse_probabilities(response["Body"].read().decode(errors="replace"))
    except ClientError as error:
        code, message = error.response["Error"].get("Code", "ClientError"), error.response["Error"].get("Message", "")
        return replace(failed, error=code, message=message)
    except HTTPClientError as error:  # a timeout of one says nothing of the others
        return replace(failed, error=type(error).__name__, message=str(error))
    except MalformedRecord as error:
        return replace(failed, error="MalformedInference", message=str(error))
    disposition: Literal["accepted", "review"] = "accepted" if max(inferences) >= minimum_confidence else "review"
    return replace(failed, disposition=disposition, inferences=inferences)


def page_content(
    settings: Settings,
    outputs: StackOutputs,
    images: Sequence[ReportedImage],
    title: str,
    split: Literal["train", "test"],
    target_accuracy: float,
    neither: Mapping[str, Sequence[ReportedImage]],
) -> Content:
    """Return what the page of the evaluation shows."""
    failed = Counter(image.error for image in images if image.error)
    failures = [f"{count} of {len(images)} have no prediction: {error}" for error, count in failed.items()]
    return Content(
        title=f"Evaluation: {title}",
        made=datetime.now(UTC),
        threshold=outputs.threshold,
        images=images,
        labels=outputs.labels,
        notes=[_SPLIT_NOTES[split], *failures],
        settings=report_content.report_settings(settings, outputs),
        versions=report_content.versions(),
        target_accuracy=target_accuracy,
        neither={kind: [each.confidence for each in own if each.confidence] for kind, own in neither.items()},
    )


def figures(content: Content) -> dict[str, Any]:
    """Return what ``evaluation.json`` holds; shares are ``null`` where they have no denominator."""
    predictions = content.predictions
    totals, reliability = evaluation.evaluate(predictions, content.threshold), calibration.calibration(predictions)
    recommendation = content.recommendation
    return {
        "images": len(content.images),
        "answered": len(predictions),
        "threshold": content.threshold,
        "accuracy": _rate(totals.accuracy),
        "accepted": _rate(totals.accepted),
        "accuracy_accepted": _rate(totals.accuracy_accepted),
        "confusion": evaluation.confusion(predictions),
        "classes": {
            content.labels[each.label]: {
                "accuracy": _rate(each.accuracy),
                "accepted": _rate(each.accepted),
                "median_confidence": None if math.isnan(each.median_confidence) else each.median_confidence,
            }
            for each in evaluation.by_class(predictions, content.threshold)
        },
        "neither_accepted": {kind: _rate(rate) for kind, rate in content.accepted_of_neither.items()},
        "calibration": {"ece": reliability.ece, "bins": [asdict(each) for each in reliability.bins]},
        "advice": {
            "target_accuracy": recommendation.target,
            "threshold": recommendation.effect.threshold if recommendation.effect else None,
            "sentence": recommendation.description,
        },
        "notes": list(content.all_notes),
    }


def _rate(rate: Rate) -> dict[str, Any] | None:
    return asdict(rate) if rate.n else None
