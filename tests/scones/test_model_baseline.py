import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from monitoring.baseline import Baseline
from monitoring.errors import BaselineNotFound
from scones import model_baseline
from scones.errors import EndpointHasNoModel

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def stubbed(service: str) -> tuple[Any, Stubber]:
    client = boto3.client(service, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
    return client, Stubber(client)


class Clients:
    """A session with these clients only."""

    def __init__(self, **clients: Any) -> None:
        self.clients = clients

    def client(self, service: str) -> Any:
        return self.clients[service]


def serving(stub: Stubber, artifact: str | None = "s3://bucket/models/ab/model.tar.gz") -> None:
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
    container = {"Image": "i"} | ({"ModelDataUrl": artifact} if artifact else {})
    model = {"ModelName": "m", "ModelArn": arn, "CreationTime": NOW, "ExecutionRoleArn": arn}
    stub.add_response("describe_model", {**model, "PrimaryContainer": container}, {"ModelName": "m"})


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
        result = model_baseline.find(session, "vehicles", None)
        assert result is not None
        assert (result.source, result.n) == ("here", 100)
        assert model_baseline.find(session, "vehicles", None) is None
    with pytest.raises(BaselineNotFound):
        model_baseline.find(session, "vehicles", tmp_path / "baseline.json")


def test_an_endpoint_without_a_model_of_its_own_has_no_baseline() -> None:
    sagemaker, asked = stubbed("sagemaker")
    session: Any = Clients(sagemaker=sagemaker)
    serving(asked, artifact=None)
    asked.add_client_error("describe_endpoint", "ValidationException", 'Could not find endpoint "vehicles".')
    with asked:
        assert model_baseline.find(session, "vehicles", None) is None
        with pytest.raises(EndpointHasNoModel, match="--out"):
            model_baseline.store(session, "vehicles", Baseline.of(np.ones(100), [0] * 100, (), source="here"))
