from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidS3Uri
from scones.captured_inferences import capture_location, monitor_captures, monitor_endpoint
from scones.errors import CapturesMissing
from scones.settings import Settings
from scones.time_ranges import TimeRange
from tests import fake_aws
from tests.monitoring.captures import NOON, FakeS3, file, line
from tests.scones.configured_session import ConfiguredSession
from tests.scones.fake_session import FakeSession
from tests.scones.stacks import deployed
from training.vehicle_net.package import SHIPPED


class NoEndpoint:
    """SageMaker without the endpoint."""

    def describe_endpoint(self, EndpointName: str) -> None:  # noqa: N803
        raise fake_aws.error("ValidationException", f'Could not find endpoint "{EndpointName}".')


def test_the_captures_of_a_deleted_endpoint_are_in_the_stacks_bucket() -> None:
    session: Any = FakeSession(sagemaker=NoEndpoint())
    location = capture_location(session, "vehicles", deployed(data_bucket="bucket"))
    assert (location.bucket, location.root) == ("bucket", "capture/vehicles/AllTraffic")
    with pytest.raises(Exception, match="Could not find"):
        capture_location(session, "vehicles", None)


RANGE = TimeRange(NOON - timedelta(hours=1), NOON + timedelta(hours=1))


@pytest.mark.parametrize(("age", "noted"), [(timedelta(0), True), (timedelta(days=1), False)])
def test_inferences_before_the_endpoints_configuration_are_noted(age: timedelta, noted: bool) -> None:
    session: Any = ConfiguredSession(NOON - age)
    session.capture(NOON - timedelta(minutes=5), 40)
    result = monitor_endpoint(
        session, Settings(), RANGE, endpoint="scones", baseline=SHIPPED / "baseline.json", threshold=0.9
    )
    note = (
        "the endpoint's configuration is of 2026-03-01 12:00:00 UTC: inferences before that may be another model's, "
        "and `--from 2026-03-01T12:00:00` leaves them out"
    )
    assert (note in result.to_dict()["notes"]) is noted


def no_client() -> None:
    raise AssertionError("a folder needs no client")


def test_captures_of_a_folder_are_judged_without_endpoint_stack_or_client(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(file(*(line(str(n)) for n in range(40))))
    result = monitor_captures(no_client, str(tmp_path), RANGE, threshold=0.9)
    assert (len(result.window), result.drift.verdict, result.endpoint) == (40, "unknown", str(tmp_path))
    assert "no baseline" in result.drift.description


def test_captures_below_an_s3_prefix_are_judged() -> None:
    s3 = FakeS3({"downloads/x/a.jsonl": file(line("a"), line("b"))})
    assert len(monitor_captures(lambda: s3, "s3://bucket/downloads", RANGE).window) == 2


@pytest.mark.parametrize(("source", "error"), [("nowhere", CapturesMissing), ("s3://", InvalidS3Uri)])
def test_a_source_that_has_no_captures_is_refused(source: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        monitor_captures(no_client, source, RANGE)
