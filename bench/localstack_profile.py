"""Where LocalStack's time goes: samples of what holds its interpreter's lock, by the part of LocalStack."""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_A_SECOND = 20
# The first that a stack of calls mentions is what it counts for.
_GROUPS = {
    "CloudWatch Logs of the functions": r"_write_logs \(|run_log_loop|services/logs/|moto/logs/",
    "invoking Lambdas: the service and our executor": r"services/lambda_/|(?:executor|function_container)\.py",
    "queues": r"services/sqs/",
    "objects": r"services/s3/",
    "events": r"services/events/",
    "requests among its own services": r"services/stepfunctions/.*(?:botocore/|rolo/)",
    "the state machines' interpreter": r"services/stepfunctions/|patches/distributed_map\.py|jsonpath",
    "requests from outside: HTTP, parsing, routing": r"twisted/|rolo/|localstack/aws/|aws/",
}


def sampler() -> str | None:
    """Return the path of py-spy, next to this interpreter or on the path, or None if it is not installed."""
    installed = Path(sys.executable).with_name("py-spy")
    return str(installed) if installed.exists() else shutil.which("py-spy")


@contextmanager
def sampled(pid: int) -> Iterator[Counter[str]]:
    """Sample a process while the block runs, and fill what it gives with the number of samples by group."""
    program, counts = sampler(), Counter[str]()
    if program is None:
        yield counts
        return
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "stacks"
        options = ["--gil", "--nonblocking", "--rate", str(_A_SECOND), "--format", "raw", "--output", str(out)]
        command = [program, "record", "--pid", str(pid), *options]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as recorder:
            try:
                yield counts
            finally:
                recorder.send_signal(signal.SIGINT)
        if out.exists():
            counts.update(grouped(out.read_text("utf-8").splitlines()))


def grouped(lines: list[str]) -> Counter[str]:
    """Count samples by group; a line is ``outermost;…;innermost COUNT``."""
    counts: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        name = next((name for name, sign in _GROUPS.items() if re.search(sign, stack)), "everything else")
        counts[name] += int(count)
    return counts
