"""Evaluation, monitoring and the report as a user drives them, against the real local stack and its captures."""

import io
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.waiting import WaiterConfig
from monitoring import capture
from tests.cli_runner import User
from tests.integration.local_deployment import LocalDeployment
from training.data.rendering.weather import Severity
from training.data.synthetic import render
from training.vehicle_net.package import SHIPPED

pytestmark = pytest.mark.integration
SYNTHETIC = str(SHIPPED / "baseline-synthetic.json")
TRAFFIC = 110  # a baseline takes 100
FIRST_SEED = 110_000_000


@pytest.fixture(scope="module")
def user(deployment: LocalDeployment) -> User:
    return deployment.user


def ask(deployment: LocalDeployment, count: int, first_seed: int, severity: Severity | None = None) -> str:
    """Send rendered vehicles to the endpoint, wait until they are captured, and return when that began."""
    begin = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)  # records keep whole seconds
    while datetime.now(UTC) < begin:
        pass
    runtime = deployment.client("sagemaker-runtime")

    def one(row: int) -> None:
        body = io.BytesIO()
        Image.fromarray(render(row % 2, first_seed + row, severity=severity)).save(body, "PNG")
        runtime.invoke_endpoint(
            EndpointName=deployment.outputs.endpoint_name, ContentType="image/png", Body=body.getvalue()
        )["Body"].read()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(count)))
    location = capture.capture_location(deployment.client("sagemaker"), deployment.outputs.endpoint_name)
    capture.wait_for_captures(
        deployment.client("s3"), location, begin, count, WaiterConfig(timeout_seconds=600, poll_seconds=0.5)
    )
    return begin.isoformat()


def wait_for_evaluation(deployment: LocalDeployment, begin: datetime, count: int) -> None:
    """Wait until the requests of an evaluation are captured."""
    location = capture.capture_location(deployment.client("sagemaker"), deployment.outputs.endpoint_name)
    reader = capture.CaptureReader(deployment.client("s3"), location, begin)
    deadline = time.monotonic() + 600
    while list(reader) and reader.counts.evaluation < count:
        assert time.monotonic() < deadline, reader.counts
        time.sleep(0.2)


@pytest.fixture(scope="module")
def quiet(deployment: LocalDeployment) -> list[str]:
    """Options for a time in which the endpoint was asked about what its baseline knows."""
    begin = ask(deployment, TRAFFIC, FIRST_SEED)
    return ["--from", begin, "--to", datetime.now(UTC).isoformat()]


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_an_evaluation_compares_with_the_labels_and_is_no_traffic(
    user: User, deployment: LocalDeployment, quiet: list[str], tmp_path: Path
) -> None:
    sample = ("--synthetic", "--sample", "10", "--neither", "3")
    response = user.run("evaluate", *sample, "--out", str(tmp_path / "out"), "--json")
    assert response.returncode == 0, response.stderr
    result = json.loads(response.stdout)
    assert (result["answered"], sum(map(sum, result["confusion"]))) == (10, 10)
    assert result == json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert {"evaluation.html", "scatter.png", "scatter.svg", "reliability.png"} <= files(tmp_path / "out")
    wait_for_evaluation(deployment, datetime.fromisoformat(quiet[1]), 10 + 2 * 3)
    seen = user.run("monitor", "--from", quiet[1], "--baseline", SYNTHETIC, "--out", str(tmp_path / "seen"), "--json")
    assert seen.returncode == 0, seen.stdout
    watched = json.loads(seen.stdout)
    assert watched["drift"]["n"] == TRAFFIC
    assert watched["capture"]["evaluation"] == 10 + 2 * 3
    assert "16 records of `scones evaluate` are excluded: they are not production traffic" in watched["notes"]
    assert files(tmp_path / "seen") == {
        "monitor.json", "confidence.png", "confidence.svg", "drift.png", "drift.svg",
    }  # fmt: skip


def test_night_is_drift_with_an_exit_code_and_a_metric(deployment: LocalDeployment, user: User, tmp_path: Path) -> None:
    dark = ask(deployment, TRAFFIC, FIRST_SEED + TRAFFIC, Severity(night=0.6))
    response = user.run(
        "monitor", "--from", dark, "--baseline", SYNTHETIC, "--publish", "--out", str(tmp_path)
    )  # fmt: skip
    assert response.returncode == 4, response.stdout + response.stderr
    assert "brightness fell" in response.stdout
    metrics = deployment.client("cloudwatch").list_metrics(Namespace="Scones", MetricName="Drift")["Metrics"]
    assert [metric["Dimensions"][0]["Value"] for metric in metrics] == [deployment.outputs.endpoint_name]


def test_traffic_of_a_quiet_time_becomes_the_baseline_beside_the_model(
    user: User, quiet: list[str], tmp_path: Path
) -> None:
    made = user.run("baseline", "--captured", *quiet, "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["baseline"].startswith("s3://")
    seen = user.run("monitor", *quiet, "--out", str(tmp_path), "--json")
    assert json.loads(seen.stdout)["drift"]["baseline"].startswith("captured by")


def test_an_empty_time_is_said_to_be_so(user: User, tmp_path: Path) -> None:
    response = user.run("monitor", "--from", "2020-01-01", "--to", "2020-01-02", "--out", str(tmp_path))
    assert response.returncode == 0
    assert "no inference was captured in this time" in response.stdout
    assert (tmp_path / "confidence.png").stat().st_size > 1000


@pytest.fixture
def blind(deployment: LocalDeployment) -> Iterator[str]:
    """An endpoint without data capture."""
    sagemaker: Any = deployment.client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName=deployment.outputs.endpoint_name)["EndpointConfigName"]
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    sagemaker.create_endpoint_config(EndpointConfigName="blind", ProductionVariants=variants)
    sagemaker.create_endpoint(EndpointName="blind", EndpointConfigName="blind")
    yield "blind"
    sagemaker.delete_endpoint(EndpointName="blind")


def test_an_endpoint_without_capture_and_one_that_is_not_there_are_errors_in_words(user: User, blind: str) -> None:
    for name, sentence in (
        (blind, "endpoint blind has no data capture"),
        ("none", "endpoint none does not exist and has no"),
    ):
        response = user.run("monitor", "--endpoint", name)
        assert response.returncode == 1, response.stdout
        assert sentence in response.stderr


def test_a_report_tells_of_what_was_captured(user: User, quiet: list[str], tmp_path: Path) -> None:
    response = user.run("report", *quiet, "--executions", "0", "--baseline", SYNTHETIC, "--out", str(tmp_path))
    assert response.returncode == 0, response.stderr
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "Confidence over time of" in page
    assert "rendered vehicles" in page
    assert {"report.html", "confidence.png", "drift.png", "scatter.png"} <= files(tmp_path)
