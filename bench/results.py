"""What a bench found: a table, and the claims that its figures bear out or do not."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil


class NotMeasured(Exception):
    """What a bench needs is not on this machine; the message says what."""


@dataclass(frozen=True)
class Claim:
    """A figure and its bound: at most ``bound``, or at least where ``at_least``."""

    says: str
    value: float
    bound: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure keeps to its bound."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{'met' if self.met else '**not met**'}: {self.says}: {self.value:g} ({sign} {self.bound:g})"


@dataclass(frozen=True)
class Section:
    """One bench's results; ``how`` says what was done, ``figures`` are the same numbers for programs."""

    title: str
    how: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    claims: Sequence[Claim] = ()
    figures: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, with the claims' verdicts."""
        claims = [{**asdict(claim), "met": claim.met} for claim in self.claims]
        return {**asdict(self), "claims": claims}


def machine() -> dict[str, Any]:
    """Return what the figures are of: processor, memory, system, Python, the load just now, and the time."""
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
    if listed.exists():
        for line in listed.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def markdown(results: dict[str, dict[str, Any]]) -> str:
    """Return docs/benchmarks.md: every section with its machine and date, in the order measured."""
    lines = [
        "# Benchmarks",
        "Written by `make bench`; `docs/benchmarks.json` has the same figures for programs. Every figure stands beside",
        "its rival of the same run. A load that is not near 0 before a run: the machine did other work, too.",
        "",
    ]
    for result in results.values():
        lines += _section(result)
    return "\n".join(lines).rstrip() + "\n"


def _section(result: dict[str, Any]) -> list[str]:
    about = result["machine"]
    lines = [f"## {result['title']}", result["how"], ""]
    lines += _table(result["header"], result["rows"])
    lines += [""] + [
        f"- {Claim(**{key: value for key, value in each.items() if key != 'met'})}" for each in result["claims"]
    ]
    where = (
        f"{about['date']}; {about['cpus']} CPUs ({about['processor']}), {about['memory_gib']} GiB, {about['system']}, "
        f"Python {about['python']}; load {about['load_before']} before and {about['load_after']} after."
    )
    return [*lines, "", where, ""]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    return [line(header), line(["---"] + ["---:"] * (len(header) - 1)), *(line(row) for row in rows)]
