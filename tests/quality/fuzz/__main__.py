"""Fuzz handlers, readers, the emulator and the command line, and fail on whatever ends in anything but a named error.

python -m tests.quality.fuzz [TARGET ...] [--inputs 220000] [--seed 0] [--engine auto|atheris|random] [--json]

Each target runs in its own process. A finding is an exception without a name of ours, an input that takes over 5 s of
processor time (a command over 30 s) or hangs, or a process that held over 512 MiB; its input is kept below
``out/fuzz``. Where atheris is installed, it chooses the bytes by coverage; else valid inputs are damaged at random.
``emulator`` sends requests over HTTP: see ``tests.quality.fuzz.emulator``.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.quality.fuzz.worker import MAKERS

ROOT = Path(__file__).resolve().parents[3]
EMULATOR = "emulator"
MAX_MIB = 512
_MAX_COMMANDS = 1000
# Inputs in a hundred; what is left is shared by the others.
_SHARES = {"serialize-image": 12, "serialize-event": 4, "classify-event": 6, "archive": 6, "archive-members": 6,
           "serving": 8,
           "lambda-host": 6, EMULATOR: 5}  # fmt: skip
# Damaged field by field, which coverage does not know how to do, or beyond a socket, where it sees nothing.
_RANDOM = {"filter-event", "serialize-event", "classify-event", "command-line", "lambda-host", "model-answer"}


def shares(names: list[str], inputs: int) -> dict[str, int]:
    """Return how many inputs each target gets, together ``inputs`` at least."""
    rest = [name for name in names if name not in _SHARES]
    taken = sum(_SHARES.get(name, 0) for name in names)
    whole = 100 if rest else taken
    result = {name: -(-inputs * _SHARES.get(name, (100 - taken) // max(1, len(rest)) + 1) // whole) for name in names}
    return result | {name: min(result[name], _MAX_COMMANDS) for name in names if name == "command-line"}


def fuzz(name: str, inputs: int, seed: int, out: Path, *, coverage: bool) -> dict[str, Any]:
    """Fuzz one target and return its report, with whatever ended its process among the findings."""
    begun = time.monotonic()
    if name == EMULATOR:
        return _emulator(inputs, seed) | {"seconds": round(time.monotonic() - begun, 1)}
    report = out / f"{name}.json"
    report.unlink(missing_ok=True)
    by_coverage = coverage and name not in _RANDOM
    command = [
        sys.executable,
        "-m",
        "tests.quality.fuzz.worker",
        name,
        "--inputs",
        str(inputs),
        "--seed",
        str(seed),
        "--out",
        str(out),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        [*command, *(["--coverage"] if by_coverage else [])],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    result: dict[str, Any] = (
        json.loads(report.read_text()) if report.exists() else {"inputs": 0, "ends": {}, "findings": {}}
    )
    if done.returncode:
        result["findings"][f"the process ended with {done.returncode}"] = done.stderr[-3000:]
    if result.get("peak_mib", 0) > MAX_MIB:
        result["findings"]["memory"] = f"{result['peak_mib']} MiB"
    return result | {"engine": "atheris" if by_coverage else "random", "seconds": round(time.monotonic() - begun, 1)}


def _emulator(requests: int, seed: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.quality.fuzz.emulator", "--requests", str(requests), "--seed", str(seed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if not done.stdout:
        return {"inputs": 0, "ends": {}, "findings": {"no report": done.stderr[-3000:]}, "engine": "HTTP"}
    report = json.loads(done.stdout)
    findings = {kind: "\n".join(map(str, report[kind])) for kind in ("failures", "traces", "strays") if report[kind]}
    return {"inputs": report["requests"], "ends": report["answers"], "findings": findings, "engine": "HTTP"}


def main(arguments: list[str] | None = None) -> int:
    """Fuzz, print, and return 1 where something was found."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.quality.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help=f"all where none is named: {', '.join([*MAKERS, EMULATOR])}"
    )
    parser.add_argument("--inputs", type=int, default=220_000, help="of all targets together (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", choices=["auto", "atheris", "random"], default="auto")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "fuzz")
    parser.add_argument("--json", action="store_true", help="print the reports as JSON")
    options = parser.parse_args(arguments)
    names = options.targets or [*MAKERS, EMULATOR]
    if unknown := set(names) - {*MAKERS, EMULATOR}:
        parser.error(f"no target {', '.join(sorted(unknown))}: there are {', '.join([*MAKERS, EMULATOR])}")
    installed = importlib.util.find_spec("atheris") is not None
    if options.engine == "atheris" and not installed:
        parser.error("atheris is not installed: `pip install atheris`, or --engine random")
    options.out.mkdir(parents=True, exist_ok=True)
    reports = {}
    for name, inputs in shares(names, options.inputs).items():
        reports[name] = fuzz(
            name, inputs, options.seed, options.out.resolve(), coverage=installed and options.engine != "random"
        )
        if not options.json:
            _print(name, reports[name])
    if options.json:
        print(json.dumps(reports, indent=2))
    else:
        findings = sum(len(each["findings"]) for each in reports.values())
        print(f"{sum(each['inputs'] for each in reports.values()):,} inputs, {findings} findings")
    return 1 if any(each["findings"] for each in reports.values()) else 0


def _print(name: str, report: dict[str, Any]) -> None:
    ends = ", ".join(f"{count:,} {end}" for end, count in list(report["ends"].items())[:6])
    cost = f"slowest {report['slowest_seconds']:.2f} s, {report['peak_mib']:.0f} MiB" if "peak_mib" in report else ""
    print(
        f"{name:18} {report['inputs']:8,} in {report['seconds']:6.1f} s, {report['engine']}  {cost}\n    {ends}",
        flush=True,
    )
    for origin, detail in report["findings"].items():
        print(f"    FINDING {origin}\n{detail}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
