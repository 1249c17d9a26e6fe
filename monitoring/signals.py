"""The tests behind the verdict: each compares one thing in a window with the baseline."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from monitoring.baseline import Baseline, rounded
from monitoring.evaluation import Labels
from monitoring.window import Window

MUCH = {"D": 0.1, "PSI": 0.25, "share below threshold": 0.05, "label mix": 0.1}
"""From where a difference counts as much. PSI's is the customary one (Siddiqi, "Credit Risk Scorecards", 2006)."""
_BINS = 10
_FEWEST_IMAGES = 30
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """A test's outcome; ``says`` puts the difference into words. See Signal for the other fields."""

    name: str
    test: str
    statistic: float
    material: float
    p_value: float
    then: float
    now: float
    says: str


def compare(window: Window, baseline: Baseline, threshold: float, labels: Labels) -> list[Comparison]:
    """Return the outcome of every test that the data allow."""
    confidences = rounded(window.confidences)
    found = [
        kolmogorov_smirnov("confidence", baseline.confidences, confidences),
        population_stability("confidence bands", baseline.confidences, confidences),
        share_below(baseline.confidences, confidences, threshold),
        label_mix(baseline.labels, window.labels, labels[1]),
    ]
    return found + list(_images(window, baseline))


def _images(window: Window, baseline: Baseline) -> Iterator[Comparison]:
    if len(window.images) >= _FEWEST_IMAGES:
        for name, then in baseline.images.items():
            yield kolmogorov_smirnov(name, then, rounded(window.statistic(name)))


def kolmogorov_smirnov(name: str, then: Floats, now: Floats) -> Comparison:
    """Two-sample test of any difference between two distributions; with ties it errs towards no alarm."""
    from scipy.stats import ks_2samp  # noqa: PLC0415 - takes seconds to import

    outcome: Any = ks_2samp(then, now, method="asymp")
    before, after = float(np.median(then)), float(np.median(now))
    way = "rose" if after > before else "fell" if after < before else "changed in shape"
    return Comparison(
        name, "D", float(outcome.statistic), MUCH["D"], float(outcome.pvalue), before, after,
        f"{name} {way}, median {before:.3g} then and {after:.3g} now",
    )  # fmt: skip


def population_stability(name: str, then: Floats, now: Floats) -> Comparison:
    """Population stability index over the baseline's tenths.

    PSI times nm/(n+m) is about chi-square distributed where nothing changed (Yurdakul and Naranjo, "Statistical
    properties of the population stability index", Journal of Risk Model Validation 14, 2020). Counts get a half added
    so that an empty band stays finite.
    """
    from scipy.stats import chi2  # noqa: PLC0415

    inner = np.unique(np.quantile(then, np.linspace(0, 1, _BINS + 1)[1:-1]))
    before, after = (np.bincount(np.searchsorted(inner, each), minlength=len(inner) + 1) for each in (then, now))
    held = (before + after) > 0
    p, q = ((count[held] + 0.5) / (count[held] + 0.5).sum() for count in (before, after))
    index = float(((q - p) * np.log(q / p)).sum())
    scale = len(then) * len(now) / (len(then) + len(now))
    freedom = int(held.sum()) - 1
    worst = int(np.argmax(np.abs(q - p)))
    return Comparison(
        name, "PSI", index, MUCH["PSI"], float(chi2.sf(index * scale, freedom)) if freedom else 1.0,
        float(p[worst]), float(q[worst]), f"{name} shifted, one from {p[worst]:.0%} to {q[worst]:.0%} of all",
    )  # fmt: skip


def share_below(then: Floats, now: Floats, threshold: float) -> Comparison:
    """Fisher's exact test of the share of confidences below the threshold."""
    from scipy.stats import fisher_exact  # noqa: PLC0415

    below = [int((each < threshold).sum()) for each in (then, now)]
    table = np.array([[below[0], len(then) - below[0]], [below[1], len(now) - below[1]]])
    p: Any = fisher_exact(table).pvalue
    before, after = below[0] / len(then), below[1] / len(now)
    name = "share below threshold"
    return Comparison(
        name, "difference", abs(after - before), MUCH[name], float(p), before, after,
        f"{name} {'rose' if after > before else 'fell'} from {before:.1%} to {after:.1%}",
    )  # fmt: skip


def label_mix(then: tuple[int, int], labels: npt.NDArray[Any], name_of_1: str) -> Comparison:
    """Chi-square test of the share of label 1 among the answers."""
    from scipy.stats import chi2_contingency  # noqa: PLC0415

    second = int(labels.sum())
    table = np.array([then, (len(labels) - second, second)])
    one_sided = (table.sum(axis=0) == 0).any()  # the same one class then and now: nothing to test
    p = 1.0 if one_sided else float(chi2_contingency(table, correction=False).pvalue)
    before, after = then[1] / sum(then), second / len(labels)
    name = "label mix"
    return Comparison(
        name, "difference", abs(after - before), MUCH[name], p, before, after,
        f"{name}: {name_of_1} went from {before:.0%} to {after:.0%} of the answers",
    )  # fmt: skip
