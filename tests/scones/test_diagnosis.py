import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from scones import diagnosis
from scones.diagnosis import CheckStatus
from scones.settings import Settings
from tests.ports import reserved_ports


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A home and a cache in which there is nothing yet, at addresses where nothing responds."""
    with reserved_ports(2) as ports:
        localstack, sagemaker = (f"http://127.0.0.1:{port}" for port in ports)
        yield Settings(
            home=tmp_path / "home", cache=tmp_path / "cache", localstack_url=localstack, sagemaker_url=sagemaker
        )


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def statuses(settings: Settings) -> dict[str, CheckStatus]:
    return {finding.check: finding.status for finding in diagnosis.laptop(settings)}


def text_of(settings: Settings, what: str) -> str:
    (detail,) = [finding.detail for finding in diagnosis.laptop(settings) if finding.check == what]
    return detail


def test_a_new_machine_has_all_that_a_laptop_needs(settings: Settings) -> None:
    assert CheckStatus.ERROR not in statuses(settings).values()
    assert statuses(settings)["LocalStack's environment"] is CheckStatus.WARNING
    assert "is free" in text_of(settings, "LocalStack")


def test_a_port_that_something_else_has_is_named(settings: Settings, taken: int) -> None:
    busy = replace(settings, localstack_url=f"http://127.0.0.1:{taken}")
    assert statuses(busy)["LocalStack"] is CheckStatus.WARNING
    assert f"port {taken} is in use" in text_of(busy, "LocalStack")


@pytest.mark.parametrize(("there", "status"), [(True, CheckStatus.OK), (False, CheckStatus.ERROR)])
def test_an_archive_that_was_named_must_be_there(settings: Settings, there: bool, status: CheckStatus) -> None:
    archive = settings.home / "archive.tar.gz"
    if there:
        archive.parent.mkdir()
        archive.touch()
    named = replace(settings, archive=archive)
    assert statuses(named)["CIFAR-100"] is status
    assert str(archive) in text_of(named, "CIFAR-100")


def test_too_little_disk_is_said_with_the_figure(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "MIN_FREE_BYTES", 10**18)
    assert statuses(settings)["disk"] is CheckStatus.ERROR
    assert "1000000000 GB are needed" in text_of(settings, "disk")


def test_without_an_engine_the_way_out_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{settings.home}/nothing.sock")
    engine = next(finding for finding in diagnosis.docker(settings) if finding.check == "Docker")
    assert engine.status is CheckStatus.ERROR
    assert "scones up" in engine.detail


@pytest.mark.parametrize(("value", "status"), [(1000.0, CheckStatus.OK), (10.0, CheckStatus.WARNING)])
def test_the_reduced_concurrency_of_a_new_account_is_named_with_what_fits(value: float, status: CheckStatus) -> None:
    client: Any = boto3.client("service-quotas", "eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(client) as stub:
        stub.add_response("get_service_quota", {"Quota": {"Value": value}})
        finding = diagnosis.function_concurrency(client)
    assert finding.status is status
    assert status is CheckStatus.OK or "BatchConcurrency=3" in finding.detail


@pytest.mark.parametrize(
    ("value", "status"), [(2.0, CheckStatus.OK), (1.0, CheckStatus.WARNING), (0.0, CheckStatus.ERROR)]
)
def test_a_quota_too_low_for_an_update_is_named(value: float, status: CheckStatus) -> None:
    client: Any = boto3.client("service-quotas", "eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")
    known = {"QuotaName": "ml.m5.xlarge for endpoint usage", "QuotaCode": "L-2F737F8D", "Value": value}
    with Stubber(client) as stub:
        stub.add_response("list_service_quotas", {"Quotas": [known]}, {"ServiceCode": "sagemaker"})
        assert diagnosis.quota(client, "ml.m5.xlarge", "endpoint", "eu-west-1").status is status


def test_a_quota_that_may_not_be_read_is_no_obstacle() -> None:
    client: Any = boto3.client("service-quotas", "eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(client) as stub:
        stub.add_client_error("list_service_quotas", "AccessDeniedException", http_status_code=403)
        assert diagnosis.quota(client, "ml.m5.xlarge", "endpoint", "eu-west-1").status is CheckStatus.WARNING


def test_aws_without_credentials_is_bad_and_nothing_more_is_asked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    *_, last = diagnosis.aws(settings)
    assert (last.check, last.status) == ("credentials", CheckStatus.ERROR)
    assert "aws configure" in last.detail


def test_a_home_that_cannot_be_written_is_bad(settings: Settings) -> None:
    blocked = replace(settings, home=Path("/dev/null/home"))
    assert statuses(blocked)["home"] is CheckStatus.ERROR
    assert "SCONES_HOME" in text_of(blocked, "home")


def test_a_proxy_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert "https through http://proxy.example:3128" in text_of(settings, "proxy")


def test_a_url_without_a_port_is_no_obstacle(settings: Settings) -> None:
    assert statuses(replace(settings, localstack_url="http://localhost.invalid"))["LocalStack"] in set(CheckStatus)


def test_a_profile_that_does_not_exist_is_bad(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    (only,) = diagnosis.aws(settings)
    assert (only.check, only.status) == ("profile", CheckStatus.ERROR)
    assert "nowhere" in only.detail


def test_a_proxy_is_named_without_its_password(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://somebody:secret@proxy:3128")
    assert "https through http://proxy:3128" in text_of(settings, "proxy")
    assert "secret" not in text_of(settings, "proxy")


def test_a_proxy_that_refuses_is_not_taken_for_missing_credentials(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    (detail,) = [finding.detail for finding in diagnosis.aws(settings) if finding.check == "credentials"]
    assert detail.endswith("check the network and HTTPS_PROXY")


def test_a_working_directory_in_which_no_result_can_be_written_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "out").touch()
    monkeypatch.chdir(tmp_path)
    assert statuses(settings)["results"] is CheckStatus.ERROR
    assert text_of(settings, "results").endswith("choose another with --out")
