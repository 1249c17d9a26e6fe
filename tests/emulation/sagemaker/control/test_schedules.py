"""EventBridge Scheduler's part of the emulator, through boto3: an endpoint's planned end."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulation.sagemaker.emulator import ROLE, Emulator, model_archive, wait_until

TARGET = "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint"


def plan(name: str, endpoint: str, when: str = "at(2099-01-01T00:00:00)", **more: Any) -> dict[str, Any]:
    target = {"Arn": TARGET, "RoleArn": ROLE, "Input": json.dumps({"EndpointName": endpoint})}
    window = {"Mode": "OFF"}
    return {"Name": name, "ScheduleExpression": when, "FlexibleTimeWindow": window, "Target": target, **more}


def in_seconds(seconds: float) -> str:
    return f"at({datetime.now(UTC) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S})"


def refusal(call: Any, **arguments: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def gone(emulator: Emulator, name: str) -> bool:
    return not emulator.client("sagemaker").list_endpoints(NameContains=name)["Endpoints"]


def test_an_endpoint_ends_when_it_was_planned_and_so_does_the_plan(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    scheduler = emulator.client("scheduler")
    made = scheduler.create_schedule(**plan(name, name, in_seconds(3), ScheduleExpressionTimezone="UTC"))
    assert made["ScheduleArn"] == f"arn:aws:scheduler:us-east-1:000000000000:schedule/default/{name}"
    assert emulator.status(name) == "InService"
    wait_until(lambda: gone(emulator, name))
    assert refusal(scheduler.get_schedule, Name=name) == ("ResourceNotFoundException", 404)


def test_a_planned_end_survives_a_restart_in_which_its_time_comes(make_emulator: Callable[..., Emulator]) -> None:
    emulator = make_emulator().start()
    emulator.endpoint("vehicles")
    emulator.client("scheduler").create_schedule(**plan("p", "vehicles", in_seconds(1)))
    emulator.stop()
    emulator.start()
    wait_until(lambda: gone(emulator, "vehicles"))


def test_an_endpoint_that_is_being_updated_is_deleted_after_that(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    emulator.model(f"{name}-2", model_archive(seconds=1.5))
    emulator.config(f"{name}-2", f"{name}-2")
    emulator.client("scheduler").create_schedule(**plan(name, name, in_seconds(1)))
    emulator.client("sagemaker").update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-2")
    wait_until(lambda: gone(emulator, name))


def test_a_plan_is_described_changed_and_removed(stub_emulator: Emulator, name: str) -> None:
    scheduler = stub_emulator.client("scheduler")
    scheduler.create_schedule(**plan(name, "e"))
    assert refusal(scheduler.create_schedule, **plan(name, "e")) == ("ConflictException", 409)
    scheduler.update_schedule(**plan(name, "e", "at(2098-06-01T12:00:00)", ScheduleExpressionTimezone="Europe/Berlin"))
    result = scheduler.get_schedule(Name=name)
    assert (result["ScheduleExpression"], result["State"]) == ("at(2098-06-01T12:00:00)", "ENABLED")
    assert result["Target"]["Arn"] == TARGET
    assert result["LastModificationDate"] >= result["CreationDate"]
    scheduler.delete_schedule(Name=name)
    assert refusal(scheduler.delete_schedule, Name=name) == ("ResourceNotFoundException", 404)
    assert refusal(scheduler.update_schedule, **plan(name, "e")) == ("ResourceNotFoundException", 404)


@pytest.mark.parametrize(
    "change",
    [
        {"ScheduleExpression": "rate(5 minutes)"},
        {"ScheduleExpression": "at(2099-13-01T00:00:00)"},
        {"ScheduleExpressionTimezone": "Mars/Olympus"},
        {"GroupName": "mine"},
        {"State": "DISABLED"},
        {"Target": {"Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:makeCoffee", "RoleArn": ROLE}},
        {"Target": {"Arn": "arn:aws:lambda:us-east-1:000000000000:function:f", "RoleArn": ROLE}},
        {"Target": {"Arn": TARGET, "RoleArn": "nobody"}},
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(
    stub_emulator: Emulator, name: str, change: dict[str, Any]
) -> None:
    scheduler = stub_emulator.client("scheduler", parameter_validation=False)
    assert refusal(scheduler.create_schedule, **{**plan(name, "e"), **change}) == ("ValidationException", 400)
