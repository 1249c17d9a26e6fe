"""Confidence over time, in bins of equal width."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from monitoring.window import InferenceWindow

MAX_BINS = 60
MAX_POINTS = 2000
ROLLING = 5
_BAND = (10, 90)
_WIDTHS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


@dataclass(frozen=True)
class Point:
    """One inference of an evenly spread sample. ``label`` is the predicted one, 0 or 1."""

    time: datetime
    confidence: float
    label: int


@dataclass(frozen=True)
class Bin:
    """The inferences of ``[start, end)``. Where ``n`` is 0, ``mean`` and ``share_below`` are None.

    ``rolling_mean`` and the band from ``low`` to ``high`` (10th to 90th percentile of the confidences) are over this
    bin and the four before it, or None if those are empty too. ``labels`` counts the predictions of each.
    """

    start: datetime
    end: datetime
    n: int
    mean: float | None
    share_below: float | None
    labels: tuple[int, int]
    rolling_mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Timeline:
    """Confidence over time. ``width`` is a bin's, in seconds; ``empty_reason`` is a sentence for an empty timeline."""

    threshold: float
    width: float
    bins: tuple[Bin, ...]
    points: tuple[Point, ...]
    empty_reason: str = "no inference was captured in this time range"

    @property
    def n(self) -> int:
        """The number of inferences."""
        return sum(each.n for each in self.bins)

    @classmethod
    def empty(cls, threshold: float, reason: str) -> "Timeline":
        """Return a timeline without inferences; ``reason`` is a sentence that explains it."""
        return cls(threshold, 0.0, (), (), reason)

    @classmethod
    def of(cls, window: InferenceWindow, threshold: float, max_bins: int = MAX_BINS) -> "Timeline":
        """Return the timeline of a window."""
        if not len(window):
            return cls(threshold, 0.0, (), ())
        order = np.argsort(window.times, kind="stable")
        times, confidences, labels = window.times[order], window.confidences[order], window.labels[order]
        width = _width(float(times[-1] - times[0]), max_bins)
        first = float(np.floor(times[0] / width) * width)
        count = int((times[-1] - first) // width) + 1
        edges = first + width * np.arange(count + 1)
        cuts = np.searchsorted(times, edges)
        bins = tuple(_bin(number, edges, cuts, confidences, labels, threshold) for number in range(count))
        chosen = np.unique(np.linspace(0, len(times) - 1, min(len(times), MAX_POINTS)).round().astype(int))
        points = tuple(Point(_time(times[i]), float(confidences[i]), int(labels[i])) for i in chosen)
        return cls(threshold, width, bins, points)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; times are ISO 8601, points are left out."""
        bins = [asdict(each) | {"start": each.start.isoformat(), "end": each.end.isoformat()} for each in self.bins]
        return {"threshold": self.threshold, "width_seconds": self.width, "n": self.n, "bins": bins}


def _bin(
    number: int,
    edges: np.ndarray[Any, Any],
    cuts: np.ndarray[Any, Any],
    confidences: np.ndarray[Any, Any],
    labels: np.ndarray[Any, Any],
    threshold: float,
) -> Bin:
    members = slice(cuts[number], cuts[number + 1])
    own, recent = confidences[members], confidences[cuts[max(0, number + 1 - ROLLING)] : cuts[number + 1]]
    second = int(labels[members].sum())
    low, high = np.percentile(recent, _BAND) if len(recent) else (None, None)
    return Bin(
        start=_time(edges[number]),
        end=_time(edges[number + 1]),
        n=len(own),
        mean=_mean(own),
        share_below=_mean(own < threshold),
        labels=(len(own) - second, second),
        rolling_mean=_mean(recent),
        low=None if low is None else float(low),
        high=None if high is None else float(high),
    )


def _width(span: float, max_bins: int) -> float:
    """Return the smallest round width that covers the span; a start on a round time may take one bin more."""
    fitting = [width for width in _WIDTHS if span / width < max_bins - 1]
    return float(fitting[0] if fitting else np.ceil(span / (max_bins - 1) / _WIDTHS[-1]) * _WIDTHS[-1])


def _mean(values: Sequence[float] | np.ndarray[Any, Any]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
