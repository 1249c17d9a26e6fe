import hashlib
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
import typer
from botocore.response import StreamingBody
from botocore.stub import Stubber

from monitoring.baseline import Baseline
from monitoring.drift import Verdict
from monitoring.errors import BaselineMissing
from scones import model_baseline
from scones.commands import baseline as baseline_command
from scones.commands import monitor
from scones.errors import EndpointHasNoModel
from scones.pipeline import SHIPPED_MODEL
from tests.scones.stacks import deployed

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def stubbed(service: str) -> tuple[Any, Stubber]:
    client = boto3.client(service, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
    return client, Stubber(client)


DEPLOYED = deployed()


class Clients:
    """A session with these clients only."""

    def __init__(self, **clients: Any) -> None:
        self.clients = clients

    def client(self, service: str) -> Any:
        return self.clients[service]


def serving(stub: Stubber, artefact: str | None = "s3://bucket/models/ab/model.tar.gz") -> None:
    times = {"CreationTime": NOW, "LastModifiedTime": NOW}
    arn = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/vehicles"
    config: dict[str, Any] = {"EndpointConfigName": "c", "EndpointConfigArn": arn, "CreationTime": NOW}
    stub.add_response(
        "describe_endpoint",
        {"EndpointName": "e", "EndpointArn": arn, "EndpointConfigName": "c", "EndpointStatus": "InService", **times},
        {"EndpointName": "vehicles"},
    )
    variants = [{"VariantName": "AllTraffic", "ModelName": "m"}]
    stub.add_response("describe_endpoint_config", {**config, "ProductionVariants": variants})
    container = {"Image": "i"} | ({"ModelDataUrl": artefact} if artefact else {})
    model = {"ModelName": "m", "ModelArn": arn, "CreationTime": NOW, "ExecutionRoleArn": arn}
    stub.add_response("describe_model", {**model, "PrimaryContainer": container}, {"ModelName": "m"})


@pytest.mark.parametrize(
    ("given", "since", "until"),
    [
        ((None, None, None), NOW - timedelta(days=1), None),
        (("90s", None, None), NOW - timedelta(seconds=90), None),
        (("7d", None, None), NOW - timedelta(days=7), None),
        (("1h", None, "2026-03-01T06:00"), NOW - timedelta(hours=7), NOW - timedelta(hours=6)),
        ((None, "2026-03-01T06:00+02:00", None), NOW - timedelta(hours=8), None),
    ],
)
def test_a_time_range_is_read(given: tuple[Any, Any, Any], since: datetime, until: datetime | None) -> None:
    assert monitor.span_of(*given, NOW) == monitor.Span(since, until)


@pytest.mark.parametrize(
    "given",
    [
        ("1h", "2026-03-01", None),
        ("1 hour", None, None),
        ("0h", None, None),
        (None, "noon", None),
        (None, "2027-01-01", None),
    ],
)
def test_a_time_range_that_is_none_is_refused(given: tuple[Any, Any, Any]) -> None:
    with pytest.raises(typer.BadParameter):
        monitor.span_of(*given, NOW)


def test_every_verdict_has_an_exit_code() -> None:
    assert monitor.EXIT_CODES == {Verdict.UNKNOWN: 0, Verdict.STABLE: 0, Verdict.WATCH: 3, Verdict.DRIFTED: 4}
    assert set(monitor.EXIT_CODES) == set(Verdict)


@pytest.mark.parametrize("name", ["baseline.json", "baseline-synthetic.json"])
def test_the_shipped_baselines_are_of_the_shipped_network(name: str) -> None:
    found = Baseline.read(SHIPPED_MODEL / name)
    network = (SHIPPED_MODEL / "model.onnx").read_bytes()
    assert found.model == hashlib.sha256(network).hexdigest()
    assert found.n >= 100
    assert len(found.images["brightness"]) >= 1000
    assert found.reference is not None
    assert found.reference.n >= 1000


def test_an_endpoint_that_was_deleted_has_left_its_captures() -> None:
    client, stub = stubbed("sagemaker")
    for _ in range(2):
        stub.add_client_error("describe_endpoint", "ValidationException", 'Could not find endpoint "vehicles".')
    session: Any = Clients(sagemaker=client)
    with stub:
        found = monitor.place_of(session, "vehicles", replace(DEPLOYED, data_bucket="bucket"))
        assert (found.bucket, found.root) == ("bucket", "capture/vehicles/AllTraffic")
        with pytest.raises(client.exceptions.ClientError, match="Could not find"):
            monitor.place_of(session, "vehicles", None)


def test_the_baseline_lies_beside_the_model_that_is_served(tmp_path: Path) -> None:
    sagemaker, asked = stubbed("sagemaker")
    s3, held = stubbed("s3")
    session: Any = Clients(sagemaker=sagemaker, s3=s3)
    made = Baseline.of(np.linspace(0.5, 1, 100), [0, 1] * 50, (), source="here")
    where = {"Bucket": "bucket", "Key": "models/ab/baseline.json"}
    content = made.encode()
    serving(asked)
    serving(asked)
    serving(asked)
    held.add_response("put_object", {}, {**where, "Body": content, "ContentType": "application/json"})
    held.add_response("get_object", {"Body": StreamingBody(io.BytesIO(content), len(content))}, where)
    held.add_client_error("get_object", "NoSuchKey", http_status_code=404, expected_params=where)
    with asked, held:
        assert model_baseline.store(session, "vehicles", made) == "s3://bucket/models/ab/baseline.json"
        found = model_baseline.find(session, "vehicles", None)
        assert found is not None
        assert (found.source, found.n) == ("here", 100)
        assert model_baseline.find(session, "vehicles", None) is None
    with pytest.raises(BaselineMissing):
        model_baseline.find(session, "vehicles", tmp_path / "baseline.json")


def test_an_endpoint_without_a_model_of_its_own_has_no_baseline() -> None:
    sagemaker, asked = stubbed("sagemaker")
    session: Any = Clients(sagemaker=sagemaker)
    serving(asked, artefact=None)
    asked.add_client_error("describe_endpoint", "ValidationException", 'Could not find endpoint "vehicles".')
    with asked:
        assert model_baseline.find(session, "vehicles", None) is None
        with pytest.raises(EndpointHasNoModel, match="--out"):
            model_baseline.store(session, "vehicles", Baseline.of(np.ones(100), [0] * 100, (), source="here"))


def test_the_accuracy_of_a_baseline_is_that_of_its_answers(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"network")
    answers = dict.fromkeys(range(100), (0.9, 0.1))
    truth = {number: number % 2 for number in range(100)}
    made = baseline_command.of_answers(answers, truth, [], "here", tmp_path)
    assert made.reference is not None
    assert (made.reference.accuracy, made.reference.n, made.labels, made.n) == (0.5, 100, (100, 0), 100)


def test_what_calibration_left_over_is_learnt_from_cross_validation_where_there_was_one(tmp_path: Path) -> None:
    found = baseline_command.cross_validated(SHIPPED_MODEL)
    assert found is not None
    assert (found.n, found.accuracy) == (1000, 0.973)
    assert found.offset == pytest.approx(0.973 - 0.969, abs=1e-4)
    (tmp_path / "model.json").write_text("{}")
    assert baseline_command.cross_validated(tmp_path) is None
