"""Confidence over time: bins of equal width over the time that inferences were made in."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from monitoring.window import Window

MOST_BINS = 60
MOST_POINTS = 2000
ROLLING = 5
_BAND = (10, 90)
_WIDTHS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


@dataclass(frozen=True)
class Point:
    """One inference of a sample that is spread evenly over time. ``label`` is the likelier, 0 or 1."""

    time: datetime
    confidence: float
    label: int


@dataclass(frozen=True)
class Bin:
    """The inferences of ``[start, end)``. Where ``n`` is 0, ``mean`` and ``share_below`` are None.

    ``rolling_mean`` and the band from ``low`` to ``high`` (10th to 90th percentile of the confidences) are over this
    bin and the four before it; None where those are empty too. ``labels`` counts the answers of each.
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
    """Confidence over time. ``width`` is a bin's, in seconds. ``silence`` says why there is none."""

    threshold: float
    width: float
    bins: tuple[Bin, ...]
    points: tuple[Point, ...]
    silence: str = "no inference was captured in this time"

    @property
    def n(self) -> int:
        """How many inferences there were."""
        return sum(each.n for each in self.bins)

    @classmethod
    def nothing(cls, threshold: float, silence: str) -> "Timeline":
        """Return a timeline of no inference, and say why there is none."""
        return cls(threshold, 0.0, (), (), silence)

    @classmethod
    def of(cls, window: Window, threshold: float, most_bins: int = MOST_BINS) -> "Timeline":
        """Return the timeline of a window."""
        if not len(window):
            return cls(threshold, 0.0, (), ())
        order = np.argsort(window.times, kind="stable")
        times, confidences, labels = window.times[order], window.confidences[order], window.labels[order]
        width = _width(float(times[-1] - times[0]), most_bins)
        first = float(np.floor(times[0] / width) * width)
        count = int((times[-1] - first) // width) + 1
        edges = first + width * np.arange(count + 1)
        cuts = np.searchsorted(times, edges)
        bins = tuple(_bin(number, edges, cuts, confidences, labels, threshold) for number in range(count))
        chosen = np.unique(np.linspace(0, len(times) - 1, min(len(times), MOST_POINTS)).round().astype(int))
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
    inside = slice(cuts[number], cuts[number + 1])
    own, recent = confidences[inside], confidences[cuts[max(0, number + 1 - ROLLING)] : cuts[number + 1]]
    second = int(labels[inside].sum())
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


def _width(span: float, most_bins: int) -> float:
    """The least round number of seconds that covers the span in as many bins, one of which a round start may cost."""
    fitting = [width for width in _WIDTHS if span / width < most_bins - 1]
    return float(fitting[0] if fitting else np.ceil(span / (most_bins - 1) / _WIDTHS[-1]) * _WIDTHS[-1])


def _mean(values: Sequence[float] | np.ndarray[Any, Any]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
