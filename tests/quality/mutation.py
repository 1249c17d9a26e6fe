"""Mutation testing: the share of small changes to the code that decides about an image that some test detects.

python -m tests.quality.mutation [TARGET ...] [--floor 90] [--json]

mutmut makes the changes in a copy of the sources, below ``out/mutation``, and runs the tests that reach them; `mutmut
show NAME` in a target's folder shows one. mutmut passes over what has a decorator, so the copy writes ``@property def
f`` as ``f = property(f)``, and likewise for the others. Constants of modules are not changed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import libcst as cst

from tests.quality.mutation_targets import TARGETS, Target

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("core", "scones", "emulation", "training", "monitoring", "orchestration", "tests")
_TIMED_OUT = {-24, 24, 36, 152}
_NOT_RUN = {None, 2, 255}
_PYTEST = """
[tool.pytest.ini_options]
addopts = "-q"
pythonpath = ["."]
timeout = 60
markers = ["docker: not run here", "torch: not run here", "cifar: not run here", "interpreter: mutmut loads more"]
"""
# mutmut signals the process ID of each mutant when its time by the clock is over, also where it has long ended and the
# ID is that of any other program. What hangs is ended by the limits of processor time and, where it waits, of pytest.
_MUTMUT = """
from mutmut.workers import isolation
from mutmut.__main__ import cli
assert callable(isolation.register_timeout)  # still under this name
isolation.register_timeout = lambda pid, timeout_s: None
cli()
"""
_DECORATORS = {"property", "cache", "contextmanager"}


class _Plain(cst.CSTTransformer):
    """Writes a decorated function as a plain one, and the decorator as a call after it."""

    def leave_FunctionDef(  # noqa: N802 - libcst's name
        self,
        original_node: cst.FunctionDef,
        updated_node: cst.FunctionDef,
    ) -> cst.FunctionDef | cst.FlattenSentinel[cst.BaseStatement]:
        """Take the decorator off where it is one of those that are known."""
        if len(updated_node.decorators) != 1:
            return updated_node
        decorator = updated_node.decorators[0].decorator
        if not isinstance(decorator, cst.Name) or decorator.value not in _DECORATORS:
            return updated_node
        name = updated_node.name.value
        wrapped = cst.parse_statement(f"{name} = {decorator.value}({name})")
        return cst.FlattenSentinel([updated_node.with_changes(decorators=()), wrapped])


def plain(source: str) -> str:
    """Return ``source`` with the decorators that mutmut would pass over written as calls."""
    return cst.parse_module(source).visit(_Plain()).code


def prepare(target: Target, folder: Path) -> None:
    """Copy what the target's tests need to ``folder``, with a configuration for mutmut."""
    shutil.rmtree(folder, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__", "mutants", "test_container.py", "shipped")
    if target.service:
        shutil.copytree(ROOT / "services" / target.service, folder, ignore=ignored)
    else:
        folder.mkdir(parents=True)
        for package in PACKAGES:
            shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    for file in target.files:
        path = folder / file
        path.write_text(plain(path.read_text("utf-8")), "utf-8")
    sources = sorted({"." if target.service else file.partition("/")[0] for file in target.files})
    settings = {
        "source_paths": sources,
        "only_mutate": list(target.files),
        "also_copy": [] if target.service else [package for package in PACKAGES if package not in sources],
        "pytest_add_cli_args_test_selection": list(target.tests),
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "-m", "not interpreter"],
        # Their tests share a server and a client that is kept, which must begin again for each change.
        "process_isolation": "forkserver" if target.service in {"classify", "serialize"} else "fork",
        # Of processor time a mutant may take four times what all tests took by the clock before.
        "timeout_multiplier": 2.0,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    (folder / "pyproject.toml").write_text("\n".join(["[tool.mutmut]", *lines, _PYTEST]), "utf-8")


def run(name: str, out: Path, children: int) -> dict[str, Any]:
    """Mutate one target and return how many changes were noticed, how many not, and the names of these."""
    folder = out / name
    prepare(TARGETS[name], folder)
    # CI makes hypothesis draw the same inputs each time: a change is noticed or not, and not by luck.
    environment = {**os.environ, "CI": "1", "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", _MUTMUT, "run", "--max-children", str(children)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    results: dict[str, int | None] = {}
    for meta in (folder / "mutants").rglob("*.meta"):
        results |= json.loads(meta.read_text("utf-8"))["exit_code_by_key"]
    fates = Counter(_fate(code) for code in results.values())
    if not fates or fates["unknown"]:
        output = done.stdout.replace("\r", "\n")
        raise SystemExit(f"mutmut did not finish {name}:\n{output[-3000:]}{done.stderr[-2000:]}")
    # A change that makes a test hang is noticed.
    noticed = fates["noticed"] + fates["timed out"]
    return {
        "mutants": len(results),
        "noticed": noticed,
        "timed_out": fates["timed out"],
        "survived": sorted(key for key, code in results.items() if _fate(code) == "survived"),
        "percent": round(100 * noticed / len(results), 1),
    }


def _fate(code: int | None) -> str:
    """Classify a mutant by mutmut's exit code; one that no test reaches has survived as well.

    mutmut takes 255 for a time-out, but it is how pytest's refusal of a test's name comes out.
    """
    if code in _NOT_RUN:
        return "unknown"
    if code in _TIMED_OUT:
        return "timed out"
    return "survived" if code in {0, 5, 33, 34, 35} else "noticed"


def main(arguments: list[str] | None = None) -> int:
    """Run, print, and return 1 where a target is below the floor."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality.mutation", description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="all where none is named")
    parser.add_argument("--floor", type=float, default=90.0, help="the least percentage (default: %(default)s)")
    parser.add_argument("--children", type=int, default=2, help="processes at a time (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "mutation")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    results = {}
    for name in options.targets or TARGETS:
        results[name] = run(name, options.out.resolve(), options.children)
        if not options.json:
            each = results[name]
            late = f", {each['timed_out']} of them by a time-out" if each["timed_out"] else ""
            print(f"{name:12} {each['percent']:5.1f} %  {each['noticed']} of {each['mutants']}{late}")
            print(*(f"    {mutant}" for mutant in each["survived"]), sep="\n", flush=True)
    if options.json:
        print(json.dumps(results, indent=2))
    return 0 if all(each["percent"] >= options.floor for each in results.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
