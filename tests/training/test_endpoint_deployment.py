"""Deploying with the SageMaker SDK, against the real emulator as a process."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from core.waiting import WaiterConfig
from emulation.session import LocalSession
from tests.emulation.fakes.s3 import fake_s3
from tests.emulation.sagemaker.emulator import IMAGE, ROLE, Emulator, model_archive
from tests.ports import reserved_ports
from training import endpoint_deployment
from training.endpoint_spec import EndpointStatus
from training.errors import (
    EndpointFailed,
    EndpointNotFound,
    EndpointTimeout,
    ModelArtifactNotFound,
    QuotaExceeded,
    SageMakerRefused,
    translate_errors,
)
from training.sagemaker_sdk import load_sdk

URL = "s3://models/model.tar.gz"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with fake_s3() as s3:
        running = Emulator(tmp_path_factory.mktemp("endpoint") / "state", s3, ("--capture-seconds", "0.2")).start()
        yield running
        running.stop()


@pytest.fixture(scope="module")
def offline(emulator: Emulator) -> LocalSession:
    """One session for all tests, since the SDK makes four clients for each."""
    return LocalSession(emulator.s3.url, emulator.url)


@pytest.fixture
def session(emulator: Emulator, offline: LocalSession) -> Iterator[LocalSession]:
    emulator.s3.objects["models/model.tar.gz"] = model_archive()
    yield offline
    sagemaker = emulator.client("sagemaker")
    for result in sagemaker.list_endpoints()["Endpoints"]:
        sagemaker.delete_endpoint(EndpointName=result["EndpointName"])
        sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=result["EndpointName"], WaiterConfig={"Delay": 0.1})
    for result in sagemaker.list_endpoint_configs(MaxResults=100)["EndpointConfigs"]:
        sagemaker.delete_endpoint_config(EndpointConfigName=result["EndpointConfigName"])
    for result in sagemaker.list_models(MaxResults=100)["Models"]:
        sagemaker.delete_model(ModelName=result["ModelName"])


def deploy(session: LocalSession, name: str = "vehicles", **settings: Any) -> EndpointStatus:
    parameters = {"image_uri": IMAGE, "model_data_url": URL, "role_arn": ROLE, "capture_uri": "s3://captures/data"}
    return endpoint_deployment.deploy(session, name=name, **{**parameters, **settings})


def invoke(session: LocalSession, name: str = "vehicles") -> Any:
    response = session.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=b"x")
    return json.loads(response["Body"].read())


def resources(emulator: Emulator) -> list[str]:
    sagemaker = emulator.client("sagemaker")
    configs = sagemaker.list_endpoint_configs(MaxResults=100)["EndpointConfigs"]
    models = sagemaker.list_models(MaxResults=100)["Models"]
    return [config["EndpointConfigName"] for config in configs] + [model["ModelName"] for model in models]


def test_a_deployed_endpoint_is_in_service_and_captures(session: LocalSession, emulator: Emulator) -> None:
    deployed = deploy(session)
    assert deployed.changed
    assert deployed.status == "InService"
    assert (deployed.image_uri, deployed.model_data_url, deployed.instance_type) == (IMAGE, URL, "ml.m5.xlarge")
    assert (deployed.capture_uri, deployed.capture_percent) == ("s3://captures/data", 100)
    assert invoke(session) == [0.93, 0.07]
    config = emulator.client("sagemaker").describe_endpoint_config(EndpointConfigName=deployed.config_name)
    assert config["DataCaptureConfig"]["CaptureContentTypeHeader"] == {"JsonContentTypes": ["application/json"]}
    assert config["DataCaptureConfig"]["CaptureOptions"] == [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}]


def test_the_status_is_what_deploy_returned(session: LocalSession) -> None:
    deployed = deploy(session)
    result = endpoint_deployment.status(session, "vehicles")
    assert not result.changed
    assert (result.name, result.arn, result.config_name) == (deployed.name, deployed.arn, deployed.config_name)


def test_deploying_the_same_again_changes_nothing(session: LocalSession, emulator: Emulator) -> None:
    first, second = deploy(session), deploy(session)
    assert not second.changed
    assert second.modified == first.modified
    assert len(resources(emulator)) == 2


def test_a_new_archive_at_the_same_url_is_an_update(session: LocalSession, emulator: Emulator) -> None:
    first = deploy(session)
    emulator.s3.objects["models/model.tar.gz"] = model_archive(answer=[0.1, 0.9])
    second = deploy(session)
    assert second.changed
    assert second.created == first.created
    assert invoke(session) == [0.1, 0.9]
    assert resources(emulator) == [second.config_name, second.model_name]


@pytest.mark.parametrize(
    "change",
    [{"capture_percent": 0}, {"capture_percent": 50}, {"instance_type": "ml.c5.large"}, {"image_uri": "x/y:2"}],
)
def test_any_other_setting_is_an_update(session: LocalSession, change: dict[str, Any]) -> None:
    deploy(session)
    changed = deploy(session, **change)
    assert changed.changed
    assert {name: getattr(changed, name) for name in change} == change
    assert (changed.capture_uri is None) is (change.get("capture_percent") == 0)


def test_an_update_that_fails_raises_its_reason_and_leaves_what_served(
    session: LocalSession, emulator: Emulator
) -> None:
    first = deploy(session)
    emulator.s3.objects["models/model.tar.gz"] = model_archive(exit=1)
    with pytest.raises(EndpointFailed, match="did not pass the ping health check") as caught:
        deploy(session)
    assert caught.value.status == "rolled back to the previous configuration"
    assert invoke(session) == [0.93, 0.07]
    assert resources(emulator) == [first.config_name, first.model_name]


def test_an_endpoint_that_failed_says_why_and_is_replaced_by_the_next_deploy(
    session: LocalSession, emulator: Emulator
) -> None:
    emulator.s3.objects["models/model.tar.gz"] = b"no archive"
    with pytest.raises(EndpointFailed, match="Failed to extract model data archive"):
        deploy(session)
    result = endpoint_deployment.status(session, "vehicles")
    assert result.status == "Failed"
    assert "Failed to extract" in str(result.failure_reason)
    emulator.s3.objects["models/model.tar.gz"] = model_archive()
    assert deploy(session).status == "InService"
    assert len(resources(emulator)) == 2


def test_deleting_takes_endpoint_configuration_and_model(session: LocalSession, emulator: Emulator) -> None:
    deployed = deploy(session)
    deploy(session, name="vehicles-2")
    gone = endpoint_deployment.delete(session, "vehicles")
    assert gone == ["vehicles", deployed.config_name, deployed.model_name]
    assert invoke(session, "vehicles-2") == [0.93, 0.07]
    assert len(resources(emulator)) == 2
    with pytest.raises(EndpointNotFound, match="'vehicles'"):
        endpoint_deployment.status(session, "vehicles")
    assert endpoint_deployment.delete(session, "vehicles") == []


def test_deleting_clears_what_an_earlier_attempt_left_behind(session: LocalSession, emulator: Emulator) -> None:
    deployed = deploy(session)
    sagemaker = emulator.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName="vehicles")
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="vehicles", WaiterConfig={"Delay": 0.1})
    sagemaker.delete_endpoint_config(EndpointConfigName=deployed.config_name)
    assert endpoint_deployment.delete(session, "vehicles") == [deployed.model_name]


def test_the_status_is_told_even_where_configuration_and_model_are_gone(
    session: LocalSession, emulator: Emulator
) -> None:
    deployed = deploy(session)
    emulator.client("sagemaker").delete_endpoint_config(EndpointConfigName=deployed.config_name)
    result = endpoint_deployment.status(session, "vehicles")
    assert (result.status, result.model_name, result.instance_type) == ("InService", None, None)


def test_a_long_name_leaves_room_for_the_digest(session: LocalSession, emulator: Emulator) -> None:
    one, other = "x" * 55 + "-blue", "x" * 55 + "-green"
    first, second = deploy(session, name=one), deploy(session, name=other)
    assert len(first.config_name) <= 63
    endpoint_deployment.delete(session, one)
    assert resources(emulator) == [second.config_name, second.model_name]


def test_no_archive_no_deployment(session: LocalSession, emulator: Emulator) -> None:
    with pytest.raises(ModelArtifactNotFound, match=r"s3://models/none\.tar\.gz"):
        deploy(session, model_data_url="s3://models/none.tar.gz")
    assert resources(emulator) == []


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ({"instance_type": "ml.huge"}, "Member must satisfy enum value set"),
        ({"name": "under_score"}, "under_score"),
        ({"capture_percent": 101}, "less than or equal to 100"),
        ({"capture_percent": -1}, "nitialSamplingPercentage"),
        ({"role_arn": "nobody-at-all-who-is-known"}, "executionRoleArn"),
    ],
)
def test_what_sagemaker_refuses_is_told_in_its_words(
    session: LocalSession, setting: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(SageMakerRefused, match=complaint):
        deploy(session, **setting)


def test_one_endpoint_too_many_is_a_quota() -> None:
    response: Any = {
        "Error": {"Code": "ResourceLimitExceeded", "Message": "The account-level service limit 'x' is 0 Instances"}
    }
    with pytest.raises(QuotaExceeded, match="limit 'x' is 0 Instances"), translate_errors("deploy"):
        raise ClientError(response, "CreateEndpoint")


def test_an_endpoint_that_takes_too_long_is_left_to_sagemaker(session: LocalSession) -> None:
    moments = iter(range(1000))
    waiter = WaiterConfig(timeout_seconds=2, sleep=lambda _: None, clock=lambda: float(next(moments)))
    with pytest.raises(EndpointTimeout, match="still Creating after 3 s"):
        deploy(session, waiter=waiter)
    assert deploy(session).status == "InService"


def test_a_refused_connection_names_the_url() -> None:
    with reserved_ports(1) as (port,):
        unreachable = LocalSession(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}")
        with pytest.raises(EndpointConnectionError, match=str(port)):
            deploy(unreachable)


def test_the_sdk_tells_nobody_else(session: LocalSession, monkeypatch: pytest.MonkeyPatch) -> None:
    called = set()
    connect: Callable[..., Any] = socket.socket.connect

    def recording(self: socket.socket, address: Any) -> Any:
        called.add(address[0])
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", recording)
    deploy(session)
    endpoint_deployment.status(session, "vehicles")
    endpoint_deployment.delete(session, "vehicles")
    assert called == {"127.0.0.1"}


def test_the_sdks_own_waiting_and_invoking_work(session: LocalSession) -> None:
    deploy(session)
    resources_ = load_sdk().resources
    result = resources_.Endpoint.get("vehicles", session=session, region="us-east-1")
    result.wait_for_status("InService", poll=1)
    assert result.invoke(body=b"x", content_type="image/png").body.read() == b"[0.93, 0.07]"
    result.delete()
    result.wait_for_delete(poll=1)
    with pytest.raises(ClientError, match="Could not find endpoint"):
        result.refresh()
