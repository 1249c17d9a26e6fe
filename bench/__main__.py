"""Measure what Scones takes, beside what one would otherwise run; `make bench` runs all of it.

python -m bench [NAME ...] [--quick] [--archive cifar-100-python.tar.gz] [--json FILE] [--markdown FILE]

Results are added to the JSON file, of which the Markdown file is made: a bench that is run alone replaces its section.
Returns 1 where a claim is not met or a bench fails; one whose needs are not on this machine is named and left out.
"""

import argparse
import importlib
import json
import os
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.results import NotMeasured, machine, markdown

ROOT = Path(__file__).resolve().parents[1]
BENCHES = {
    "start": "bench.lambda_start",
    "container": "bench.container_start",
    "warm": "bench.warm",
    "staging": "bench.staging",
    "model": "bench.model",
    "pipeline": "bench.pipeline",
    "batch": "bench.growth",
    "scaling": "bench.scaling",
    "first": "bench.first_result",
}


@dataclass(frozen=True)
class Options:
    """How thoroughly to measure, CIFAR-100's archive where there is one, and the file of what was measured so far."""

    quick: bool
    archive: Path | None
    results: Path


def main(arguments: list[str] | None = None) -> int:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all where none is named: {', '.join(BENCHES)}")
    parser.add_argument(
        "--quick", action="store_true", help="few repetitions: to see that it runs, not to be published"
    )
    parser.add_argument("--archive", type=Path, default=_archive(), help="CIFAR-100 (default: SCONES_CIFAR100)")
    parser.add_argument("--json", type=Path, default=ROOT / "docs" / "benchmarks.json")
    parser.add_argument("--markdown", type=Path, default=ROOT / "docs" / "benchmarks.md")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(BENCHES):
        parser.error(f"no bench {', '.join(sorted(unknown))}: there are {', '.join(BENCHES)}")
    results: dict[str, Any] = json.loads(options.json.read_text("utf-8")) if options.json.exists() else {}
    failed = []
    for name in options.names or BENCHES:
        print(f"== {name}", file=sys.stderr, flush=True)
        found = _measured(name, Options(options.quick, options.archive, options.json))
        if found is None:
            failed.append(name)
            continue
        results[name] = found
        failed += [name] * (not all(claim["met"] for claim in found["claims"]))
        ordered = {key: results[key] for key in BENCHES if key in results}
        options.json.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", "utf-8")
        options.markdown.write_text(markdown(ordered), "utf-8")
        print(markdown({name: found}).partition("\n## ")[2], flush=True)
    return 1 if failed else 0


def _archive() -> Path | None:
    named = os.environ.get("SCONES_CIFAR100")
    return Path(named) if named else None


def _measured(name: str, options: Options) -> dict[str, Any] | None:
    about, begun = machine(), time.monotonic()
    try:
        section = importlib.import_module(BENCHES[name]).section(options)
    except NotMeasured as reason:
        print(f"{name} is not measured: {reason}", file=sys.stderr)
        return None
    except Exception:  # noqa: BLE001 - the other benches are to run all the same
        traceback.print_exc()
        return None
    about |= {"load_after": round(os.getloadavg()[0], 1), "seconds": round(time.monotonic() - begun)}
    return {**section.to_dict(), "machine": about, "quick": options.quick}


if __name__ == "__main__":
    raise SystemExit(main())
