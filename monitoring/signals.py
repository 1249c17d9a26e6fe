"""The statistical tests behind the verdict: each compares one property of a window with the baseline."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2, chi2_contingency, fisher_exact, ks_2samp

from core.labels import Labels
from core.predictions import NEITHER_CONFIDENCE
from monitoring.baseline import Baseline, Floats, rounded
from monitoring.window import InferenceWindow

EFFECT_SIZE_LIMITS = {
    "D": 0.1,
    "PSI": 0.25,
    "share below threshold": 0.05,
    "share of neither class": 0.05,
    "label mix": 0.1,
}
"""From this effect size on a difference matters. PSI's is customary (Siddiqi, "Credit Risk Scorecards", 2006)."""
_BINS = 10
_MIN_IMAGES = 30


@dataclass(frozen=True)
class Comparison:
    """A test's result; ``description`` puts the difference into words. See Signal for the other fields."""

    name: str
    test: str
    statistic: float
    effect_size_limit: float
    p_value: float
    baseline: float
    current: float
    description: str


def compare(window: InferenceWindow, baseline: Baseline, threshold: float, labels: Labels) -> list[Comparison]:
    """Run every test that the data allow."""
    confidences = rounded(window.confidences)
    comparisons = [
        kolmogorov_smirnov("confidence", baseline.confidences, confidences),
        population_stability("confidence bands", baseline.confidences, confidences),
        share_below("share below threshold", baseline.confidences, confidences, threshold),
        share_below("share of neither class", baseline.confidences, confidences, NEITHER_CONFIDENCE),
        label_mix(baseline.labels, window.labels, labels[1]),
    ]
    return comparisons + list(_compare_images(window, baseline))


def _compare_images(window: InferenceWindow, baseline: Baseline) -> Iterator[Comparison]:
    if len(window.images) >= _MIN_IMAGES:
        for name, values in baseline.images.items():
            yield kolmogorov_smirnov(name, values, rounded(window.statistic(name)))


def kolmogorov_smirnov(name: str, baseline: Floats, current: Floats) -> Comparison:
    """Two-sample test of any difference between two distributions; conservative where there are ties."""
    result: Any = ks_2samp(baseline, current, method="asymp")
    before, after = float(np.median(baseline)), float(np.median(current))
    change = "rose" if after > before else "fell" if after < before else "changed in shape"
    return Comparison(
        name, "D", float(result.statistic), EFFECT_SIZE_LIMITS["D"], float(result.pvalue), before, after,
        f"{name} {change}, median {before:.3g} in the baseline and {after:.3g} now",
    )  # fmt: skip


def population_stability(name: str, baseline: Floats, current: Floats) -> Comparison:
    """Population stability index over the baseline's deciles.

    PSI times nm/(n+m) is approximately chi-square distributed where nothing changed (Yurdakul and Naranjo, "Statistical
    properties of the population stability index", Journal of Risk Model Validation 14, 2020). A half is added to
    each count, so that an empty band stays finite.
    """
    inner = np.unique(np.quantile(baseline, np.linspace(0, 1, _BINS + 1)[1:-1]))
    before, after = (
        np.bincount(np.searchsorted(inner, each), minlength=len(inner) + 1) for each in (baseline, current)
    )
    filled = (before + after) > 0
    p, q = ((count[filled] + 0.5) / (count[filled] + 0.5).sum() for count in (before, after))
    index = float(((q - p) * np.log(q / p)).sum())
    scale = len(baseline) * len(current) / (len(baseline) + len(current))
    freedom = int(filled.sum()) - 1
    worst = int(np.argmax(np.abs(q - p)))
    return Comparison(
        name, "PSI", index, EFFECT_SIZE_LIMITS["PSI"], float(chi2.sf(index * scale, freedom)) if freedom else 1.0,
        float(p[worst]), float(q[worst]), f"{name} shifted, one of them from {p[worst]:.0%} to {q[worst]:.0%} of all",
    )  # fmt: skip


def share_below(name: str, baseline: Floats, current: Floats, threshold: float) -> Comparison:
    """Fisher's exact test of the share of confidences below the threshold."""
    below = [int((each < threshold).sum()) for each in (baseline, current)]
    table = np.array([[below[0], len(baseline) - below[0]], [below[1], len(current) - below[1]]])
    p: Any = fisher_exact(table).pvalue
    before, after = below[0] / len(baseline), below[1] / len(current)
    return Comparison(
        name, "difference", abs(after - before), EFFECT_SIZE_LIMITS[name], float(p), before, after,
        f"{name} {'rose' if after > before else 'fell'} from {before:.1%} to {after:.1%}",
    )  # fmt: skip


def label_mix(baseline: tuple[int, int], labels: npt.NDArray[Any], name_of_1: str) -> Comparison:
    """Chi-square test of the share of label 1 among the predictions."""
    second = int(labels.sum())
    table = np.array([baseline, (len(labels) - second, second)])
    one_sided = (table.sum(axis=0) == 0).any()  # the same single label in both: nothing to test
    p = 1.0 if one_sided else float(chi2_contingency(table, correction=False).pvalue)
    before, after = baseline[1] / sum(baseline), second / len(labels)
    name = "label mix"
    return Comparison(
        name, "difference", abs(after - before), EFFECT_SIZE_LIMITS[name], p, before, after,
        f"{name}: {name_of_1} went from {before:.0%} to {after:.0%} of the predictions",
    )  # fmt: skip
