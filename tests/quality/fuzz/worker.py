"""One target, fuzzed in its own process; prints what it found as JSON. Run by ``python -m tests.quality.fuzz``."""

import argparse
import faulthandler
import json
import os
import resource
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from tests.quality.fuzz import programs, readers, services, user_inputs
from tests.quality.fuzz.mutate import inputs
from tests.quality.fuzz.target import Target

MAKERS = {
    "filter-event": services.filter_event,
    "filter-threshold": services.filter_threshold,
    "serialize-event": services.serialize_event,
    "serialize-image": services.serialize_image,
    "classify-event": services.classify_event,
    "archive": readers.archive,
    "archive-members": readers.archive_members,
    "pickle": readers.pickles,
    "lst": readers.lst,
    "manifest": readers.manifest,
    "capture": readers.capture,
    "serving": readers.serving,
    "messages": readers.messages,
    "model-archive": user_inputs.model_archive,
    "review-labels": user_inputs.review_labels,
    "terminal": user_inputs.terminal,
    "batch-manifest": user_inputs.batch_manifest,
    "review-messages": user_inputs.review_messages,
    "environment": user_inputs.environment,
    "file-names": user_inputs.file_names,
    "model-answer": programs.model_answer,
    "lambda-host": programs.lambda_host,
    "command-line": programs.command_line,
}
_PACKAGES = ("core", "emulation", "monitoring", "review", "training")
HANG_SECONDS = 600  # of the clock, which goes on while others have the processor
SLOW_SECONDS = 5  # of the processor, as is what a command may take
COMMAND_SECONDS = 30
_MAX_FINDINGS = 20


def peak_mib() -> float:
    """Return this program's peak memory. Linux counts in ``ru_maxrss`` the process that started it, too, as it was."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text("utf-8").splitlines() if line.startswith("VmHWM:"))
        return round(int(line.split()[1]) / 2**10, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 1)  # macOS: bytes


class SlowInput(Exception):
    """An input took more processor time than any should."""


class Watch:
    """Runs inputs and keeps count of what came of them."""

    def __init__(self, target: Target, out: Path) -> None:
        self._target, self._out = target, out
        self._ends: Counter[str] = Counter()
        self._findings: dict[str, str] = {}
        self._slowest = 0.0

    def see(self, data: bytes) -> None:
        """Run one input. A hang ends the process: its stacks are then what the parent finds on standard error."""
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        begun, used = time.perf_counter(), time.process_time()
        try:
            self._target.one(data)
            self._ends["accepted"] += 1
        except self._target.allowed as error:
            self._ends[type(error).__name__] += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            self._keep(data, error)
        used = time.process_time() - used
        if used > (COMMAND_SECONDS if self._target.is_costly else SLOW_SECONDS):
            self._keep(data, SlowInput(f"{used:.1f} s of processor time"))
        self._slowest = max(self._slowest, time.perf_counter() - begun)
        faulthandler.cancel_dump_traceback_later()

    def _keep(self, data: bytes, error: Exception) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        origin = type(error).__name__
        if frames:
            origin += f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}"
        self._ends[origin] += 1
        if origin not in self._findings and len(self._findings) < _MAX_FINDINGS:
            self._out.mkdir(parents=True, exist_ok=True)
            kept = self._out / f"{len(self._findings)}.bin"
            kept.write_bytes(data)
            self._findings[origin] = f"{kept}\n{''.join(traceback.format_exception(error))}"

    def report(self) -> dict[str, object]:
        """Return the counts, the findings and the most that the process held."""
        return {
            "inputs": self._ends.total(),
            "ends": dict(self._ends.most_common()),
            "findings": self._findings,
            "slowest_seconds": round(self._slowest, 3),
            "peak_mib": peak_mib(),
        }


def _by_coverage(watch: Watch, target: Target, count: int, seed: int, corpus: Path, report: Path) -> None:
    """Let atheris choose the inputs; it ends the process itself, so the report is written before the last one ends."""
    import atheris  # noqa: PLC0415 - where it can be installed

    corpus.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(target.seeds):
        (corpus / str(number)).write_bytes(content)
    words = corpus.with_suffix(".words")
    words.write_text("".join(f'"{_escaped(word[:64])}"\n' for word in target.words))
    done = 0

    def one(data: bytes) -> None:
        nonlocal done
        watch.see(data)
        done += 1
        if done % 100 == 0 or done >= count:
            report.write_text(json.dumps(watch.report()))

    limits = [
        f"-runs={count}",
        f"-max_len={target.longest}",
        f"-timeout={HANG_SECONDS}",
        "-rss_limit_mb=512",
        f"-seed={seed + 1}",
    ]
    dictionary = [f"-dict={words}"] if target.words else []
    atheris.Setup([sys.argv[0], str(corpus), *dictionary, "-verbosity=0", "-print_final_stats=0", *limits], one)
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    """Return ``word`` as libFuzzer's dictionaries spell it."""
    return "".join(f"\\x{byte:02x}" for byte in word)


def main() -> None:
    """Fuzz one target and write the report."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality.fuzz.worker", description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=sorted(MAKERS))
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--coverage", action="store_true", help="let atheris choose the inputs")
    parser.add_argument("--out", type=Path, required=True, help="where findings and the report go")
    options = parser.parse_args()
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    if options.coverage:
        import atheris  # noqa: PLC0415

        with atheris.instrument_imports(
            include=[
                "handler",
                "image",
                "s3_objects",
                "endpoint",
                "prediction",
                "training",
                "monitoring",
                "emulation",
                "core",
                "review",
            ]
        ):
            target = MAKERS[options.target]()
    else:
        target = MAKERS[options.target]()
    watch, report = Watch(target, out / options.target), out / f"{options.target}.json"
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)  # the handlers' log lines
    if options.coverage:
        _by_coverage(watch, target, options.inputs, options.seed, out / f"{options.target}.corpus", report)
    for data, _ in zip(inputs(target, options.seed), range(options.inputs), strict=False):
        watch.see(data)
    report.write_text(json.dumps(watch.report()))


if __name__ == "__main__":
    main()
