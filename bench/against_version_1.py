"""The local loop of this commit and of version 1.0, alternately on the same machine, as ratios.

Each turn has a fresh local environment of its commit, with its own caches, and runs the commands that a user types.
CPU seconds are those of the command and of all processes of the local environment.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.deployed_environment import write_images
from bench.localstack_profile import sampled
from bench.results import ROOT, Claim, NotMeasured, Options, Section, Table

VERSION_1 = "6f451fa"
_IMAGES = 200
_ROUNDS = 3
# What is measured: its unit, and the bound of new/old.
_FIGURES = {
    "first deploy": ("s", 0.5),
    "run": ("images a second", None),
    "batch": ("images a second", None),
    "warm demo": ("s", 0.6),
    "up": ("s", None),
}


@dataclass
class Turn:
    """One commit's figures in one turn: seconds or images a second, and CPU seconds, by name; and samples."""

    wall: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    samples: dict[str, int] = field(default_factory=dict)


def measure(options: Options) -> Section:
    """Measure both commits alternately."""
    rounds = 1 if options.quick else _ROUNDS
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        checkouts = {"1.0": _checkout(scratch / "old", VERSION_1), "now": _checkout(scratch / "new", "HEAD")}
        images = write_images(scratch / "images", _IMAGES)
        for label, checkout in checkouts.items():
            _User(checkout, scratch / f"cache-{label}", scratch / "warm").run("up", "-d", then_down=True)
        turns: dict[str, list[Turn]] = {label: [] for label in checkouts}
        for number in range(rounds):
            for label, checkout in checkouts.items():
                user = _User(checkout, scratch / f"cache-{label}", scratch / f"home-{label}-{number}")
                turns[label].append(_turn(user, images))
    return _section(turns, rounds)


def _checkout(folder: Path, commit: str) -> Path:
    if not (ROOT / ".git").exists():
        raise NotMeasured("this folder is not a git repository, of which it makes two clones")
    for command in (["clone", "--quiet", str(ROOT), str(folder)], ["-C", str(folder), "checkout", "--quiet", commit]):
        if subprocess.run(["git", *command], check=False).returncode:  # noqa: S607 - git of the user's PATH
            raise NotMeasured(f"commit {commit} is not in this clone")
    return folder


@dataclass(frozen=True)
class _User:
    """Runs the CLI of a checkout, with its own cache and state directory."""

    checkout: Path
    cache: Path
    home: Path

    def run(self, *words: str, then_down: bool = False) -> tuple[float, float, str]:
        """Run a command; return its seconds, the CPU seconds of it and its children, and what it printed."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("SCONES_", "PYTHON"))}
        own = {"SCONES_CACHE": str(self.cache), "SCONES_HOME": str(self.home)}
        before, begun = os.times(), time.monotonic()
        command = [sys.executable, "-m", "scones", *words]
        done = subprocess.run(
            command, cwd=self.checkout, env=inherited | own, capture_output=True, text=True, check=False
        )
        seconds, after = time.monotonic() - begun, os.times()
        if done.returncode not in {0, 1}:
            raise NotMeasured(f"scones {' '.join(words)} ended with {done.returncode}: {done.stderr[-300:]}")
        if then_down:
            self.run("down")
        used = after.children_user + after.children_system - before.children_user - before.children_system
        return seconds, used, done.stdout

    def processes(self) -> list[psutil.Process]:
        """Return the processes of the local environment, LocalStack's first."""
        home = str(self.home)
        processes = [
            each for each in psutil.process_iter(["environ"]) if (each.info["environ"] or {}).get("SCONES_HOME") == home
        ]
        return sorted(processes, key=lambda each: "scones_localstack" not in " ".join(each.cmdline()))


def _turn(user: _User, images: Path) -> Turn:
    turn = Turn()

    def timed(name: str, *words: str) -> float:
        before = sum(sum(each.cpu_times()[:2]) for each in user.processes())
        seconds, used, _ = user.run(*words)
        after = sum(sum(each.cpu_times()[:2]) for each in user.processes())
        turn.cpu[name] = after - before + used
        return seconds

    try:
        turn.wall["up"] = timed("up", "up", "-d")
        turn.wall["first deploy"] = timed("first deploy", "deploy", "--json")
        user.run("endpoint", "deploy", "--json")
        user.run("run", str(next(images.iterdir())), "--json")
        with sampled(user.processes()[0].pid) as samples:
            turn.wall["run"] = _IMAGES / timed("run", "run", str(images), "--json")
        turn.samples = dict(samples)
        turn.wall["batch"] = _IMAGES / timed("batch", "batch", str(images), "--json", "--out", str(user.home / "out"))
    finally:
        user.run("down")
    demo = _User(user.checkout, user.cache, user.home.with_name(f"{user.home.name}-demo"))
    turn.wall["warm demo"], turn.cpu["warm demo"], _ = demo.run(
        "demo", "--synthetic", "--json", "--out", str(demo.home / "out")
    )
    return turn


def _section(turns: dict[str, list[Turn]], rounds: int) -> Section:
    old, new = turns["1.0"], turns["now"]

    def median(of: list[Turn], get: Callable[[Turn], float]) -> float:
        return statistics.median(get(turn) for turn in of)

    rows, claims, figures = [], [], {}
    for name, (unit, bound) in _FIGURES.items():
        walls = [median(each, lambda turn: turn.wall[name]) for each in (old, new)]  # noqa: B023 - called at once
        cpus = [median(each, lambda turn: turn.cpu[name]) for each in (old, new)]  # noqa: B023
        figures[name] = {"wall": walls, "cpu": cpus}
        ratio = walls[1] / walls[0]
        rows.append(
            (f"{name}, {unit}", *(f"{value:.2f}" for value in walls), f"{ratio:.2f}",
             *(f"{value:.1f}" for value in cpus), f"{cpus[1] / cpus[0]:.2f}")
        )  # fmt: skip
        claims += [Claim(f"{name}, of version 1.0", round(ratio, 2), bound)] if bound else []
    batch = figures["batch"]["wall"]
    of_batch = median(new, lambda turn: turn.wall["run"] / turn.wall["batch"])
    claims += [
        Claim("batch, of version 1.0", round(batch[1] / batch[0], 2), 1.3, at_least=True),
        Claim("run, of the batch", round(of_batch, 2), 0.8, at_least=True),
    ]
    header = ["", "1.0", "now", "ratio", "CPU s, 1.0", "CPU s, now", "ratio"]
    tables = [Table.of(header, rows), *_profiles(old, new)]
    method = (
        f"Medians of {rounds} turns, version 1.0 ({VERSION_1[:7]}) and this commit alternately, each on a fresh local "
        f"environment whose Python environment is in the cache; {_IMAGES} rendered images."
    )
    return Section("Against version 1.0", method, tables, claims, figures)


def _profiles(old: list[Turn], new: list[Turn]) -> list[Table]:
    """What held LocalStack's interpreter during `scones run`, in samples of a turn; none without py-spy."""
    names = sorted({name for turn in old + new for name in turn.samples})
    counts = [{name: sum(turn.samples.get(name, 0) for turn in of) / len(of) for name in names} for of in (old, new)]
    rows = [(name, f"{counts[0][name]:.0f}", f"{counts[1][name]:.0f}") for name in names]
    caption = f"What LocalStack's interpreter was doing during `scones run` of {_IMAGES} images, samples (20 a second):"
    return [Table.of(["", "1.0", "now"], rows, caption)] if rows else []
