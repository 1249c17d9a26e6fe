"""Whatever a folder holds has exactly one outcome, on the screen, in JSON and in CSV, also after `kill -9`."""

import csv
import json
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from scones.image_inputs import DUPLICATE, SKIPPED
from tests.emulation.sagemaker.emulator import wait_until
from tests.integration.local_deployment import LocalDeployment
from tests.journeys.odd_folder import KINDS, LABELLED, TOO_LARGE, UNSUPPORTED, write_odd_folder

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Two files of each kind, and the outcome of each."""
    path = tmp_path_factory.mktemp("odd") / "photos"
    return path, write_odd_folder(path, 2 * KINDS)


def outcome(status: str, error: str | None, reason: str | None) -> str:
    """An outcome in the words of the folder's writer."""
    if status == SKIPPED:
        return str(reason)
    return LABELLED if status == "SUCCEEDED" or error == "ThresholdConfidenceNotMet" else str(error)


def counts_line(expected: dict[str, str], labelled: str) -> str:
    counts = Counter(expected.values())
    failed = counts[UNSUPPORTED] + counts[TOO_LARGE]
    return f"{len(expected)} inputs: {labelled}, {failed} failed, {len(expected) - counts[LABELLED] - failed} skipped"


def statuses(deployment: LocalDeployment) -> dict[str, str]:
    """The status of each execution by its ARN."""
    pages = deployment.client("stepfunctions").get_paginator("list_executions")
    machine = deployment.outputs.state_machine_arn
    return {
        entry["executionArn"]: entry["status"]
        for page in pages.paginate(stateMachineArn=machine)
        for entry in page["executions"]
    }


def test_every_file_is_accounted_for_after_a_run_that_was_killed(
    deployment: LocalDeployment, folder: tuple[Path, dict[str, str]]
) -> None:
    path, expected = folder
    earlier, queued = statuses(deployment), deployment.queue_lengths()
    with deployment.user.start("run", str(path), stderr=subprocess.DEVNULL) as killed:
        while len(statuses(deployment)) < len(earlier) + 10:
            assert killed.poll() is None, "the run ended before it could be killed"
        killed.send_signal(signal.SIGKILL)

    done = deployment.user.run("run", str(path), "--json")

    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert Counter(each["name"] for each in found) == Counter(expected.keys())
    assert {each["name"]: outcome(each["status"], each["error"], each["message"]) for each in found} == expected
    assert done.returncode == 1
    errors = Counter(each["error"] for each in found)
    succeeded = sum(each["status"] == "SUCCEEDED" for each in found)
    labelled = f"{succeeded} classified, {errors['ThresholdConfidenceNotMet']} for review"
    assert done.stderr.splitlines()[-1] == counts_line(expected, labelled)
    wait_until(lambda: "RUNNING" not in statuses(deployment).values())
    ended = Counter(status for arn, status in statuses(deployment).items() if arn not in earlier)
    assert ended.total() >= 10 + sum(each["status"] != SKIPPED for each in found)
    assert (deployment.queue_lengths() - queued).total() == ended["FAILED"]
    assert set(ended) == {"SUCCEEDED", "FAILED"}


def test_every_file_is_accounted_for_in_a_batchs_summary_and_files(
    deployment: LocalDeployment, folder: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    path, expected = folder
    done = deployment.user.run("batch", str(path), "--out", str(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["inputs"] == len(expected) == summary["images"] + sum(summary["skipped"].values())
    results = Path(summary["results"])
    from_json = json.loads(results.read_text("utf-8"))
    with results.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        from_csv = list(csv.DictReader(file))
    counts = Counter(expected.values())
    counts[LABELLED] += counts[DUPLICATE]  # a batch holds no names in memory: a linked file is its own image
    for rows in (from_json, from_csv):
        outcomes = Counter(row["outcome"] for row in rows)
        assert outcomes.total() == len(expected)
        assert outcomes == Counter(summary["outcomes"]) + Counter({SKIPPED: summary["inputs"] - summary["images"]})
        assert (outcomes[UNSUPPORTED], outcomes[TOO_LARGE]) == (counts[UNSUPPORTED], counts[TOO_LARGE])
        assert outcomes["SUCCEEDED"] + outcomes["ThresholdConfidenceNotMet"] == counts[LABELLED]
        assert len({row["s3_key"] for row in rows}) == len(expected)
