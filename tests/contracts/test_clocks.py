"""Durations and timeouts are measured by a clock that does not jump; only time stamps read the wall clock."""

import ast

import pytest

from tests.contracts.test_environment import ROOT, modules

WALL_CLOCK = {
    "emulation/lambdas/function.py": "tells the handler its deadline, as Lambda does",
    "emulation/lambdas/handler_runtime.py": "counts down to that deadline, as Lambda's runtime does",
    "emulation/localstack/scones_localstack/patches/function_logs.py": "time stamps of log lines",
    "emulation/localstack/scones_localstack/patches/function_metrics.py": "the second to which a metric belongs",
    "emulation/sagemaker/app.py": "CreationTime, LastModifiedTime and when a schedule is due",
    "emulation/sagemaker/log_stream.py": "time stamps of log lines",
    "orchestration/stack.py": "a name that is not used again",
}


def reads_wall_clock(source: str) -> bool:
    tree = ast.parse(source)
    attributes = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    imported = {
        each.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "time"
        for each in node.names
    }
    return bool(attributes & {"time.time", "time.time_ns"} or imported & {"time", "time_ns"})


def test_only_time_stamps_read_the_wall_clock() -> None:
    readers = {str(path.relative_to(ROOT)) for path in modules() if reads_wall_clock(path.read_text("utf-8"))}
    assert readers <= set(WALL_CLOCK), "measure a duration with time.monotonic(), or give a reason"


@pytest.mark.parametrize("source", ["import time\nx = time.time()", "from time import time", "f = time.time_ns"])
def test_a_reader_is_found(source: str) -> None:
    assert reads_wall_clock(source)


def test_a_monotonic_clock_is_none() -> None:
    assert not reads_wall_clock("import time\nbegan = time.monotonic()\nfrom time import sleep")
