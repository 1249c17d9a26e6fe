import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from tests.emulation.sagemaker.emulator import Emulator, archive, model_archive, wait_until


def children(emulator: Emulator) -> list[psutil.Process]:
    assert emulator.process is not None
    return psutil.Process(emulator.process.pid).children(recursive=True)


def invoke(emulator: Emulator, name: str, body: bytes = b"image") -> str:
    response = emulator.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=body)
    return str(response["Body"].read().decode())


def test_an_endpoint_is_creating_then_in_service_then_deleting_then_gone(
    emulator: Emulator, name: str, tmp_path: Path
) -> None:
    invoked = tmp_path / "invoked"
    emulator.model(name, model_archive(seconds=2, touch=str(invoked)))
    emulator.config(name, name)
    sagemaker = emulator.client("sagemaker")
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    creating = sagemaker.describe_endpoint(EndpointName=name)
    assert creating["EndpointStatus"] == "Creating"
    assert creating["PendingDeploymentSummary"]["EndpointConfigName"] == name

    described = emulator.wait(name)

    assert described["EndpointConfigName"] == name
    assert described["ProductionVariants"][0]["VariantName"] == "AllTraffic"
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    assert described["DataCaptureConfig"]["CaptureStatus"] == "Started"
    assert described["DataCaptureConfig"]["CurrentSamplingPercentage"] == 100
    assert described["LastModifiedTime"] >= described["CreationTime"]
    assert "PendingDeploymentSummary" not in described
    with ThreadPoolExecutor(1) as pool:
        answering = pool.submit(invoke, emulator, name)
        wait_until(invoked.exists)
        sagemaker.delete_endpoint(EndpointName=name)
        assert emulator.status(name) == "Deleting"
        assert answering.result() == "[0.93, 0.07]"
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig={"Delay": 0.1})
    with pytest.raises(ClientError, match="Could not find endpoint"):
        sagemaker.describe_endpoint(EndpointName=name)
    with pytest.raises(ClientError, match="not found"):
        invoke(emulator, name)


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (b"this is no archive", "Failed to extract model data archive for container"),
        (b"", "Failed to extract model data archive for container"),
        (model_archive()[:-30], "Failed to extract model data archive for container"),
        (archive({"../escape": b"x"}), "Failed to extract model data archive for container"),
        (archive({"model.json": b"{}"}), "AllTraffic did not pass the ping health check"),
        (model_archive(exit=3), "AllTraffic did not pass the ping health check"),
    ],
)
def test_a_broken_archive_fails_the_endpoint_with_its_reason(
    emulator: Emulator, name: str, packed: bytes, reason: str
) -> None:
    emulator.model(name, packed)
    emulator.config(name, name)
    emulator.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=name)
    described = emulator.wait(name, "Failed")
    assert reason in described["FailureReason"]
    with pytest.raises(ClientError, match=f"Endpoint {name} of account 000000000000 not found"):
        invoke(emulator, name)
    emulator.client("sagemaker").delete_endpoint(EndpointName=name)


def test_a_server_that_gives_up_leaves_its_last_words_in_the_reason(emulator: Emulator, name: str) -> None:
    emulator.model(name, model_archive(exit=3))
    emulator.config(name, name)
    emulator.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=name)
    reason = emulator.wait(name, "Failed")["FailureReason"]
    assert "it exited with status 3" in reason
    assert "this model is of no use" in reason


def test_an_archive_that_left_s3_after_the_model_was_created_fails_the_endpoint(emulator: Emulator, name: str) -> None:
    emulator.model(name)
    emulator.config(name, name)
    del emulator.s3.objects[f"models/{name}.tar.gz"]
    emulator.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=name)
    reason = emulator.wait(name, "Failed")["FailureReason"]
    assert reason.startswith('Failed to download model data for container "container_1" from URL: "s3://models/')


def test_an_update_swaps_the_model_without_a_failed_request(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name, model_archive(answer=[0.9, 0.1], seconds=0.05))
    emulator.model(f"{name}-2", model_archive(answer=[0.2, 0.8]))
    emulator.config(f"{name}-2", f"{name}-2")
    responses: list[str] = []
    done = threading.Event()

    def load() -> None:
        runtime = emulator.client("sagemaker-runtime")
        while not done.is_set():
            responses.append(runtime.invoke_endpoint(EndpointName=name, Body=b"x")["Body"].read().decode())

    with ThreadPoolExecutor(4) as pool:
        loads = [pool.submit(load) for _ in range(4)]
        wait_until(lambda: len(responses) > 4)
        emulator.client("sagemaker").update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-2")
        assert emulator.status(name) == "Updating"
        described = emulator.wait(name)
        wait_until(lambda: responses[-1] == "[0.2, 0.8]")
        done.set()
        for each in loads:
            each.result()

    assert described["EndpointConfigName"] == f"{name}-2"
    assert set(responses) == {"[0.9, 0.1]", "[0.2, 0.8]"}
    assert invoke(emulator, name) == "[0.2, 0.8]"


def test_an_update_that_fails_leaves_what_served_before(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    emulator.model(f"{name}-2", model_archive(exit=1))
    emulator.config(f"{name}-2", f"{name}-2")
    emulator.client("sagemaker").update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-2")
    described = emulator.wait(name)
    assert described["EndpointConfigName"] == name
    assert "did not pass the ping health check" in described["FailureReason"]
    assert invoke(emulator, name) == "[0.93, 0.07]"


def test_an_endpoint_on_its_way_cannot_be_changed(emulator: Emulator, name: str) -> None:
    emulator.model(name)
    emulator.config(name, name)
    sagemaker = emulator.client("sagemaker")
    arn = sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)["EndpointArn"]
    changes: list[tuple[Any, dict[str, str]]] = [
        (sagemaker.update_endpoint, {"EndpointConfigName": name}),
        (sagemaker.delete_endpoint, {}),
    ]
    for change, arguments in changes:
        with pytest.raises(ClientError) as caught:
            change(EndpointName=name, **arguments)
        assert caught.value.response["Error"]["Message"] == f'Cannot update in-progress endpoint "{arn}".'
    emulator.wait(name)


def test_an_endpoint_whose_configuration_was_deleted_cannot_be_updated(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    emulator.config(f"{name}-2", name)
    sagemaker = emulator.client("sagemaker")
    sagemaker.delete_endpoint_config(EndpointConfigName=name)
    with pytest.raises(ClientError, match=f"Could not find endpoint configuration .*/{name}"):
        sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-2")
    assert invoke(emulator, name) == "[0.93, 0.07]"


def test_an_update_may_keep_the_capture_settings(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name, sampling=30)
    emulator.config(f"{name}-2", name, sampling=70)
    sagemaker = emulator.client("sagemaker")
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-2", RetainAllVariantProperties=True)
    assert emulator.wait(name)["DataCaptureConfig"]["CurrentSamplingPercentage"] == 30
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-2")
    assert emulator.wait(name)["DataCaptureConfig"]["CurrentSamplingPercentage"] == 70


def test_variants_share_the_traffic_and_can_be_asked_by_name(emulator: Emulator, name: str) -> None:
    emulator.model(f"{name}-a", model_archive(answer=["a"]))
    emulator.model(f"{name}-b", model_archive(answer=["b"]))
    emulator.config(name, f"{name}-a", f"{name}-b")
    emulator.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=name)
    emulator.wait(name)
    runtime = emulator.client("sagemaker-runtime")
    seen = [runtime.invoke_endpoint(EndpointName=name, Body=b"x")["InvokedProductionVariant"] for _ in range(60)]
    assert 10 < seen.count("AllTraffic") < 50
    assert set(seen) == {"AllTraffic", "Variant1"}
    response = runtime.invoke_endpoint(EndpointName=name, Body=b"x", TargetVariant="Variant1")
    assert response["Body"].read() == b'["b"]'


def test_weights_change_without_a_new_configuration(emulator: Emulator, name: str) -> None:
    emulator.model(name)
    emulator.config(name, name, name)
    sagemaker, runtime = emulator.client("sagemaker"), emulator.client("sagemaker-runtime")
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    emulator.wait(name)
    parameters = [
        {"VariantName": "AllTraffic", "DesiredWeight": 0.0},
        {"VariantName": "Variant1", "DesiredWeight": 3.0, "DesiredInstanceCount": 2},
    ]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=parameters)
    first, second = emulator.wait(name)["ProductionVariants"]
    assert (first["CurrentWeight"], second["CurrentWeight"], second["CurrentInstanceCount"]) == (0.0, 3.0, 2)
    seen = {runtime.invoke_endpoint(EndpointName=name, Body=b"x")["InvokedProductionVariant"] for _ in range(20)}
    assert seen == {"Variant1"}
    parameters = [{"VariantName": "Other", "DesiredWeight": 1.0}]
    with pytest.raises(ClientError, match='Could not find variant "Other"'):
        sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=parameters)


def test_a_blue_green_update_with_alarms_rolls_back_where_the_new_fleet_is_not_healthy(
    emulator: Emulator, name: str
) -> None:
    emulator.endpoint(name)
    emulator.model(f"{name}-2", model_archive(exit=1))
    emulator.config(f"{name}-2", f"{name}-2")
    deployment = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
                "WaitIntervalInSeconds": 60,
            },
            "TerminationWaitInSeconds": 0,
            "MaximumExecutionTimeoutInSeconds": 600,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]},
    }
    emulator.client("sagemaker").update_endpoint(
        EndpointName=name, EndpointConfigName=f"{name}-2", DeploymentConfig=deployment
    )
    described = emulator.wait(name)
    assert described["EndpointConfigName"] == name
    assert described["LastDeploymentConfig"] == deployment
    assert "did not pass the ping health check" in described["FailureReason"]


def test_a_dead_model_server_is_started_again(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    before = emulator.health()["model_server_restarts"]
    with pytest.raises(ClientError) as caught:
        invoke(emulator, name, b"die")
    assert caught.value.response["Error"]["Code"] == "ServiceUnavailable"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503

    def answers() -> bool:
        try:
            return invoke(emulator, name) == "[0.93, 0.07]"
        except ClientError:
            return False

    wait_until(answers)
    assert emulator.health()["model_server_restarts"] > before


def test_a_models_environment_reaches_its_server_but_not_its_interpreter(emulator: Emulator, name: str) -> None:
    emulator.model(name, Environment={"LEVEL": "info", "PYTHONSTARTUP": "/nowhere", "LD_PRELOAD": "/nowhere"})
    emulator.config(name, name)
    emulator.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=name)
    emulator.wait(name)
    environment = invoke(emulator, name, b"environment")
    assert '"LEVEL": "info"' in environment
    assert "/nowhere" not in environment


def test_what_a_model_server_writes_is_in_cloudwatch_logs(emulator: Emulator, name: str) -> None:
    emulator.model(name, model_archive(exit=3))
    emulator.config(name, name)
    emulator.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=name)
    emulator.wait(name, "Failed")
    streams = {stream: lines for stream, lines in emulator.s3.logs.items() if f"/Endpoints/{name}:" in stream}
    ((stream, lines),) = streams.items()
    assert stream.startswith(f"/aws/sagemaker/Endpoints/{name}:AllTraffic/i-")
    assert lines == ["this model is of no use"]
    emulator.client("sagemaker").delete_endpoint(EndpointName=name)
