"""What every benchmark takes and returns, and the page made of it."""

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import psutil

ROOT = Path(__file__).resolve().parents[1]


class NotMeasured(Exception):
    """A benchmark's requirement is missing on this machine; the message names it."""


@dataclass(frozen=True)
class Options:
    """``quick`` repeats less; ``archive`` is CIFAR-100's, if any; ``previous`` has the results of earlier runs."""

    quick: bool
    archive: Path | None
    previous: dict[str, Any]


@dataclass(frozen=True)
class Claim:
    """A measured value and its bound: an upper one, or a lower one where ``at_least``."""

    statement: str
    value: float
    bound: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the value keeps to its bound."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{'met' if self.met else '**not met**'}: {self.statement}: {self.value:g} ({sign} {self.bound:g})"


@dataclass(frozen=True)
class Table:
    """One table of results; ``caption`` stands above it."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""

    @classmethod
    def of(cls, header: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> Self:
        """Return a table of cells of any type, integers with thousands separators."""
        cells = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
        return cls(header, cells, caption)

    def markdown(self) -> list[str]:
        """Return the lines of the table."""
        rows = [self.header, ["---"] + ["---:"] * (len(self.header) - 1), *self.rows]
        return ([self.caption, ""] if self.caption else []) + [f"| {' | '.join(row)} |" for row in rows] + [""]


@dataclass(frozen=True)
class Section:
    """The results of one benchmark. ``method`` says what was done; ``figures`` are the same numbers for programs."""

    title: str
    method: str
    tables: Sequence[Table]
    claims: Sequence[Claim] = ()
    figures: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, with each claim's verdict."""
        return {**asdict(self), "claims": [{**asdict(claim), "met": claim.met} for claim in self.claims]}


def machine() -> dict[str, Any]:
    """Return what was measured on: processor, memory, system, Python, the load average now, and the time."""
    return {
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 1),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text("utf-8").splitlines() if listed.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def markdown(results: dict[str, dict[str, Any]]) -> str:
    """Return docs/benchmarks.md: every section with its machine and date."""
    lines = [
        "# Benchmarks",
        "Written by `make bench`; `docs/benchmarks.json` has the same figures for programs. Each figure is shown next",
        "to its baseline, measured in the same run. If the load before a run is not near 0, other work ran, too.",
        "",
    ]
    for result in results.values():
        lines += section_markdown(result)
    return "\n".join(lines).rstrip() + "\n"


def section_markdown(result: dict[str, Any]) -> list[str]:
    """Return the lines of one section, from its JSON form."""
    about = result["machine"]
    lines = [f"## {result['title']}", result["method"], ""]
    for table in result["tables"]:
        lines += Table(**table).markdown()
    claims = [Claim(**{name: value for name, value in each.items() if name != "met"}) for each in result["claims"]]
    lines += [f"- {claim}" for claim in claims] + [""] * bool(claims)
    where = (
        f"{about['date']}; {about['cpus']} CPUs ({about['processor']}), {about['memory_gib']} GiB, {about['system']}, "
        f"Python {about['python']}; load {about['load_before']} before and {about['load_after']} after."
    )
    return [*lines, where, ""]
