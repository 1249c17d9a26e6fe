"""`make smoke-aws` as far as moto goes: it starts no execution for an event, and deletes no endpoint on schedule."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.moto.accounts import account
from tests.moto.faults import TimedExecutions
from tests.moto.leftovers import leftovers

pytestmark = pytest.mark.moto


def test_every_claim_gets_a_result_and_nothing_is_left(tmp_path: Path) -> None:
    with account(tmp_path, TimedExecutions().stubs()) as aws:
        aws.scones("bootstrap", "--yes")
        aws.push_images()
        command = [sys.executable, "-W", "ignore", "-m", "bench.smoke_aws", "--seconds", "5"]
        done = subprocess.run(
            command, env=aws.user.variables(), cwd=tmp_path, capture_output=True, text=True, timeout=1200, check=False
        )
        assert done.returncode == 0, done.stderr
        results = dict(line.strip("| ").split(" | ")[::2] for line in done.stdout.splitlines() if line.startswith("|"))
        assert results["base image"] == "holds"
        assert results["summary"].startswith("while Creating: ")
        assert results["trigger"].startswith("does not hold")
        assert results["deletion"].startswith("does not hold")
        assert set(results) == {"base image", "summary", "trigger", "deletion", "roles", "idle"}
        assert leftovers(aws)["stacks"] == ["scones-bootstrap"], "it has deleted what it has not created"
        aws.scones("destroy", "--yes", "--bootstrap")
        assert leftovers(aws) == {}
