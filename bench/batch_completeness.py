"""Every image of a batch has a result: the integration tests of batches, outages and payloads, with more images.

The tests assert; here their recorded properties are put into tables.
"""

import ast
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from bench.results import ROOT, NotMeasured, Options, Section, Table

_OPTIONS = ["-m", "integration", "-o", "junit_family=xunit1"]  # the later family has no properties of a test
_TESTS = [f"tests/integration/test_{name}.py" for name in ("batch", "outage", "payload")]


def measure(options: Options) -> Section:
    """Run the tests and collect what they recorded."""
    images, executions, seconds = (40, 24, 2) if options.quick else (1000, 200, 20)
    recorded = _recorded({"BATCH_IMAGES": images, "OUTAGE_EXECUTIONS": executions, "OUTAGE_SECONDS": seconds})
    payloads = recorded.pop("payload")
    last = {name: values[-1] for name, values in recorded.items()}
    summary, queued, errors = last["summary"], recorded["queued"][0], last["errors"]
    batch = (
        summary["images"], summary["outcomes"].get("SUCCEEDED", 0), queued.get("review", 0), queued.get("failure", 0),
        0, f"{summary['seconds']:.1f}",
    )  # fmt: skip
    lost = ", ".join(f"{name} {count}" for name, count in errors.items())
    tables = [
        Table.of(
            ["images", "classified", "review queue", "failure queue", "differ from one by one", "s"], [batch],
            f"One batch, one image in twenty broken, one in ten calls of the endpoint throttled "
            f"({last['throttled']:,} were):",
        ),
        Table.of(
            ["outage", "executions ended before it", "under way"], last["outages"],
            f"Outages of {seconds} s in the middle of {executions} executions; all came to an end after "
            f"{last['seconds']} s, {last['succeeded']} succeeded, the others went to the failure queue "
            f"({lost or 'none'}); `scones redrive` started these again, and all succeeded:",
        ),
        Table.of(["file", "bytes", "ended as", "ms"], payloads, "Noise, which does not compress:"),
    ]  # fmt: skip
    method = "`tests/integration` at scale on the local environment: inputs = outcomes + review queue + failure queue."
    return Section("Accounting", method, tables, (), {**last, "payload": payloads})


def _recorded(variables: dict[str, int]) -> dict[str, list[Any]]:
    """Return the properties that the tests recorded, by name in the order of the tests. Raises NotMeasured."""
    with tempfile.TemporaryDirectory() as name:
        report = Path(name) / "junit.xml"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *_OPTIONS, f"--junit-xml={report}", *_TESTS],
            cwd=ROOT,
            env={**os.environ, **{name: str(value) for name, value in variables.items()}},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NotMeasured(f"a test failed: {done.stdout[-2000:]}")
        properties = ET.parse(report).getroot().iter("property")  # noqa: S314 - pytest's own
        recorded: dict[str, list[Any]] = {}
        for each in properties:
            recorded.setdefault(each.attrib["name"], []).append(ast.literal_eval(each.attrib["value"]))
        return recorded
