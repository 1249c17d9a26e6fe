"""Measure Scones against what one would otherwise run; `make bench` runs all benchmarks.

python -m bench [NAME ...] [--quick] [--archive cifar-100-python.tar.gz] [--json FILE] [--markdown FILE]

Results are added to the JSON file, from which the Markdown file is made: a benchmark that is run alone replaces its
section. Returns 1 where a claim is not met or a benchmark fails; one whose requirements are missing is skipped.
"""

import argparse
import importlib
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from bench.results import ROOT, NotMeasured, Options, Section, machine, markdown, section_markdown

# Each module has `measure(options: Options) -> Section`.
BENCHMARKS = {
    "start": "bench.lambda_start",
    "container": "bench.lambda_container",
    "warm": "bench.lambda_warm",
    "limits": "bench.lambda_limits",
    "staging": "bench.staging",
    "model": "bench.model",
    "pipeline": "bench.pipeline",
    "batch": "bench.batch",
    "batch_completeness": "bench.batch_completeness",
    "soak": "bench.soak",
    "scaling": "bench.scaling",
    "first": "bench.first_result",
    "turns": "bench.against_version_1",
    "sagemaker": "bench.sagemaker",
    "captures": "bench.captures",
    "drift": "bench.drift",
}


def main(arguments: list[str] | None = None) -> int:
    """Measure, write, print."""
    options = _parser().parse_args(arguments)
    results: dict[str, Any] = json.loads(options.json.read_text("utf-8")) if options.json.exists() else {}
    failed = []
    for name in options.names or BENCHMARKS:
        print(f"== {name}", file=sys.stderr, flush=True)
        result = _measured(name, Options(options.quick, options.archive, results))
        if result is None:
            failed.append(name)
            continue
        results[name] = result
        failed += [name] * (not all(claim["met"] for claim in result["claims"]))
        ordered = {key: results[key] for key in BENCHMARKS if key in results}
        options.json.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", "utf-8")
        options.markdown.write_text(markdown(ordered), "utf-8")
        print(*section_markdown(result), sep="\n", flush=True)
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ", ".join(BENCHMARKS)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*BENCHMARKS, []], help=f"default: all of {names}")
    parser.add_argument("--quick", action="store_true", help="few repetitions: a trial, not for publication")
    archive = os.environ.get("SCONES_CIFAR100")
    parser.add_argument(
        "--archive", type=Path, default=Path(archive) if archive else None, help="CIFAR-100 (default: SCONES_CIFAR100)"
    )
    parser.add_argument("--json", type=Path, default=ROOT / "docs" / "benchmarks.json")
    parser.add_argument("--markdown", type=Path, default=ROOT / "docs" / "benchmarks.md")
    return parser


def _measured(name: str, options: Options) -> dict[str, Any] | None:
    """Return a benchmark's section with its machine, or None if it could not be measured, which is printed."""
    about, begun = machine(), time.monotonic()
    try:
        # Loaded here, because a module may need packages that are not installed.
        section: Section = importlib.import_module(BENCHMARKS[name]).measure(options)
    except (NotMeasured, ImportError) as reason:
        print(f"{name} is not measured: {reason}", file=sys.stderr)
        return None
    except Exception:  # noqa: BLE001 - the other benchmarks run all the same
        traceback.print_exc()
        return None
    about |= {"load_after": round(os.getloadavg()[0], 1), "seconds": round(time.monotonic() - begun)}
    return {**section.to_dict(), "machine": about, "quick": options.quick}


if __name__ == "__main__":
    raise SystemExit(main())
