import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from scones import diagnosis
from scones.diagnosis import Verdict
from scones.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home and a cache in which there is nothing yet, at addresses where nothing answers."""
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        urls = [f"http://127.0.0.1:{one.getsockname()[1]}" for one in (first, second)]
    return Settings(home=tmp_path / "home", cache=tmp_path / "cache", localstack_url=urls[0], sagemaker_url=urls[1])


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def verdicts(settings: Settings) -> dict[str, Verdict]:
    return {finding.what: finding.verdict for finding in diagnosis.laptop(settings)}


def text_of(settings: Settings, what: str) -> str:
    (found,) = [finding.found for finding in diagnosis.laptop(settings) if finding.what == what]
    return found


def test_a_new_machine_has_all_that_a_laptop_needs(settings: Settings) -> None:
    assert Verdict.BAD not in verdicts(settings).values()
    assert verdicts(settings)["LocalStack's environment"] is Verdict.ADVICE
    assert "is free" in text_of(settings, "LocalStack")


def test_a_port_that_something_else_has_is_named(settings: Settings, taken: int) -> None:
    busy = replace(settings, localstack_url=f"http://127.0.0.1:{taken}")
    assert verdicts(busy)["LocalStack"] is Verdict.ADVICE
    assert f"port {taken} is taken" in text_of(busy, "LocalStack")


@pytest.mark.parametrize(("there", "verdict"), [(True, Verdict.GOOD), (False, Verdict.BAD)])
def test_an_archive_that_was_named_must_be_there(settings: Settings, there: bool, verdict: Verdict) -> None:
    archive = settings.home / "archive.tar.gz"
    if there:
        archive.parent.mkdir()
        archive.touch()
    named = replace(settings, archive=archive)
    assert verdicts(named)["CIFAR-100"] is verdict
    assert str(archive) in text_of(named, "CIFAR-100")


def test_too_little_disk_is_said_with_the_figure(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "MIN_FREE_BYTES", 10**18)
    assert verdicts(settings)["disk"] is Verdict.BAD
    assert "1000000000 GB are needed" in text_of(settings, "disk")


def test_without_an_engine_the_way_out_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{settings.home}/nothing.sock")
    engine = next(finding for finding in diagnosis.docker(settings) if finding.what == "Docker")
    assert engine.verdict is Verdict.BAD
    assert "scones up" in engine.found


@pytest.mark.parametrize(("value", "verdict"), [(1000.0, Verdict.GOOD), (10.0, Verdict.ADVICE)])
def test_the_reduced_concurrency_of_a_new_account_is_named_with_what_fits(value: float, verdict: Verdict) -> None:
    client: Any = boto3.client("service-quotas", "eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(client) as stub:
        stub.add_response("get_service_quota", {"Quota": {"Value": value}})
        finding = diagnosis.function_concurrency(client)
    assert finding.verdict is verdict
    assert verdict is Verdict.GOOD or "BatchConcurrency=3" in finding.found


@pytest.mark.parametrize(("value", "verdict"), [(2.0, Verdict.GOOD), (1.0, Verdict.ADVICE), (0.0, Verdict.BAD)])
def test_a_quota_too_low_for_an_update_is_named(value: float, verdict: Verdict) -> None:
    client: Any = boto3.client("service-quotas", "eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")
    known = {"QuotaName": "ml.m5.xlarge for endpoint usage", "QuotaCode": "L-2F737F8D", "Value": value}
    with Stubber(client) as stub:
        stub.add_response("list_service_quotas", {"Quotas": [known]}, {"ServiceCode": "sagemaker"})
        assert diagnosis.quota(client, "ml.m5.xlarge", "endpoint", "eu-west-1").verdict is verdict


def test_a_quota_that_may_not_be_read_is_no_obstacle() -> None:
    client: Any = boto3.client("service-quotas", "eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(client) as stub:
        stub.add_client_error("list_service_quotas", "AccessDeniedException", http_status_code=403)
        assert diagnosis.quota(client, "ml.m5.xlarge", "endpoint", "eu-west-1").verdict is Verdict.ADVICE


def test_aws_without_credentials_is_bad_and_nothing_more_is_asked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    *_, last = diagnosis.aws(settings)
    assert (last.what, last.verdict) == ("credentials", Verdict.BAD)
    assert "aws configure" in last.found


def test_a_home_that_cannot_be_written_is_bad(settings: Settings) -> None:
    blocked = replace(settings, home=Path("/dev/null/home"))
    assert verdicts(blocked)["home"] is Verdict.BAD
    assert "SCONES_HOME" in text_of(blocked, "home")


def test_a_proxy_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert "https by http://proxy.example:3128" in text_of(settings, "proxy")


def test_a_url_without_a_port_is_no_obstacle(settings: Settings) -> None:
    assert verdicts(replace(settings, localstack_url="http://localhost.invalid"))["LocalStack"] in set(Verdict)


def test_a_profile_that_does_not_exist_is_bad(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    (only,) = diagnosis.aws(settings)
    assert (only.what, only.verdict) == ("profile", Verdict.BAD)
    assert "nowhere" in only.found
