"""The style of all plots, and their output as files or as parts of a page."""

import io
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import PercentFormatter

from core.files import write_atomically

FIRST, SECOND, THRESHOLD = "#1f6fd6", "#d62f2c", "#1a8a3c"
INK, MUTED, LINE, PAPER = "#20242a", "#5f6873", "#d5dae0", "#ffffff"
WARN, BAND = "#b06a00", "#8d9aab"
CLASS_COLOURS = (FIRST, SECOND)
CLASS_MARKERS = ("o", "D")
"""A circle and a diamond, so that the classes differ without colour."""
WIDTH, HEIGHT = 5.4, 3.7
"""Inches. At the width of a phone the smallest text is still about 9 pixels high."""
DPI = 180
OUTLINE = withStroke(linewidth=3, foreground=PAPER)
"""Around text that points or lines may pass."""
_LONGEST_LINE = 46
_VARIABLES = {
    FIRST: "--first",
    SECOND: "--second",
    THRESHOLD: "--threshold",
    INK: "--ink",
    MUTED: "--muted",
    LINE: "--line",
    PAPER: "--surface",
    WARN: "--warn",
    BAND: "--band",
}
# matplotlib's defaults, whatever the user's matplotlibrc says, with changes.
_RC: Any = {
    **{name: value for name, value in mpl.rcParamsDefault.items() if name != "backend"},
    "font.family": "DejaVu Sans",  # part of matplotlib: the same plot on every machine
    "font.size": 10.5,
    "svg.fonttype": "path",
    "svg.hashsalt": "scones",
    "path.simplify": True,
}


@dataclass(frozen=True)
class Plot:
    """A figure. ``name`` is its files' stem, ``alt`` its alternative text."""

    name: str
    title: str
    alt: str
    figure: Figure

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Show the figure where a notebook's cell ends with it, with as many pixels as high-resolution screens have."""
        return self.png(), {"width": round(WIDTH * 100)}

    def svg(self) -> str:
        """Return an SVG document, the same bytes for the same data."""
        out = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        with mpl.rc_context(_RC):
            self.figure.savefig(out, format="svg", facecolor=PAPER, metadata=nothing)
        return out.getvalue()

    def png(self) -> bytes:
        """Return a PNG."""
        out = io.BytesIO()
        with mpl.rc_context(_RC):
            self.figure.savefig(out, format="png", dpi=DPI, facecolor=PAPER, metadata={"Software": None})
        self.figure.set_layout_engine("none")  # it is laid out already
        return out.getvalue()

    def write(self, folder: Path) -> str:
        """Write ``name.png`` and ``name.svg`` with their title, and return the SVG without it, for a page."""
        folder.mkdir(parents=True, exist_ok=True)
        bare = self.svg()
        self.figure.suptitle(self.title, x=0.02, ha="left", fontsize=12, fontweight="bold", color=INK)
        write_atomically(folder / f"{self.name}.svg", self.svg())
        self.figure.set_layout_engine("none")  # it is laid out already, which takes as long as drawing
        write_atomically(folder / f"{self.name}.png", self.png())
        return bare


def inline(svg: str, name: str) -> str:
    """Return an SVG document as an element of an HTML page, in the page's colours.

    Ids are prefixed with ``name``, because an id must be unique on the page.
    """
    element = svg[svg.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    element = re.sub(r'\s(xmlns(:xlink)?="[^"]*"|version="1\.1")', "", element)
    element = re.sub(r'(<svg\b[^>]*?)\s(?:width|height)="[^"]*"', r"\1", element)
    element = re.sub(r'(<svg\b[^>]*?)\s(?:width|height)="[^"]*"', r"\1", element, count=1)
    element = element.replace("xlink:href=", "href=")
    element = re.sub(r'\bid="', f'id="{name}-', element)
    element = re.sub(r'href="#', f'href="#{name}-', element)
    element = re.sub(r"url\(#", f"url(#{name}-", element)
    for colour, variable in _VARIABLES.items():
        element = element.replace(colour, f"var({variable}, {colour})")
    return element.replace("<svg", '<svg aria-hidden="true" focusable="false"', 1).strip()


def canvas(height: float = HEIGHT) -> tuple[Figure, Axes]:
    """Return an empty figure with axes without a frame."""
    with mpl.rc_context(_RC):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.1, h_pad=0.08)  # type: ignore[union-attr, call-arg]
        axes = figure.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(LINE)
    axes.tick_params(colors=MUTED, labelsize=10, length=3)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(MUTED)
    return figure, axes


def show_sentence(axes: Axes, sentence: str) -> None:
    """Show a sentence in place of data."""
    lines = textwrap.fill(plain(sentence), _LONGEST_LINE)
    axes.text(0.5, 0.4, lines, transform=axes.transAxes, ha="center", va="center", color=MUTED)


def plain(sentence: str) -> str:
    """Return a sentence without its full stop and the backquotes around commands."""
    return sentence.rstrip(".").replace("`", "")


def threshold_line(axes: Axes, threshold: float, x: float = 0.01, ha: str = "left") -> None:
    """Draw the threshold as a labelled, dashed green line."""
    axes.axhline(threshold, color=THRESHOLD, linestyle=(0, (5, 3)), linewidth=1.6, zorder=3)
    axes.annotate(
        f"threshold {threshold:g}",
        (x, threshold),
        xycoords=("axes fraction", "data"),
        xytext=(0, -4),
        textcoords="offset points",
        ha=ha,
        va="top",
        color=THRESHOLD,
        fontsize=10,
        fontweight="bold",
        path_effects=[OUTLINE],
        zorder=7,
    )


def percent(axis: Any, decimals: int = 0) -> None:
    """Label an axis in percent of one."""
    axis.set_major_formatter(PercentFormatter(1.0, decimals=decimals, symbol="%"))
