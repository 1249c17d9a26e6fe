"""The session for the emulators takes nothing from the user's AWS account and goes through no proxy."""

from pathlib import Path

import boto3
import pytest
import yaml
from botocore.exceptions import EndpointConnectionError

from emulation.session import SAGEMAKER_ENDPOINT_VARIABLES, LocalSession
from tests.ports import reserved_ports

ROOT = Path(__file__).parents[2]


def test_a_profile_that_does_not_exist_is_nobodys_concern(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile broken\nregion =")
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    client = LocalSession("http://127.0.0.1:1", "http://127.0.0.1:2", "eu-west-1").client("sagemaker")
    assert (client.meta.region_name, client.meta.endpoint_url) == ("eu-west-1", "http://127.0.0.1:2")


def test_no_client_has_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    client = LocalSession("http://127.0.0.1:1", "http://127.0.0.1:2").client("s3")
    assert client._endpoint.http_session._proxy_config.proxy_url_for("http://127.0.0.1:1") is None


def test_a_refused_connection_is_tried_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    with reserved_ports(1) as (port,):
        client = LocalSession(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}").client("sagemaker")
        with pytest.raises(EndpointConnectionError):
            client.list_models()
    assert len(waits) <= 1


@pytest.mark.parametrize("service", SAGEMAKER_ENDPOINT_VARIABLES)
def test_boto3_reads_the_variable_of_each_emulated_service(monkeypatch: pytest.MonkeyPatch, service: str) -> None:
    monkeypatch.setenv(SAGEMAKER_ENDPOINT_VARIABLES[service], "http://127.0.0.1:2")
    assert boto3.Session(region_name="us-east-1").client(service).meta.endpoint_url == "http://127.0.0.1:2"


def test_compose_directs_the_same_services_to_the_emulator() -> None:
    variables = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["x-aws"]
    emulated = {name for name, url in variables.items() if str(url).startswith("http://sagemaker")}
    assert emulated == set(SAGEMAKER_ENDPOINT_VARIABLES.values())
