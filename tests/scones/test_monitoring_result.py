from typing import Any

import pytest

from scones.monitoring_result import capture_location
from tests import fake_aws
from tests.scones.fake_session import FakeSession
from tests.scones.stacks import deployed


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
