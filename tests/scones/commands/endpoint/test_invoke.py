from pathlib import Path
from typing import Any

from tests import fake_aws
from tests.scones.conftest import Cli
from tests.scones.fake_cloudformation import CloudFormation
from tests.scones.fake_session import FakeSession
from training.errors import EndpointNotFound


class Runtime:
    """A SageMaker runtime without an endpoint."""

    def invoke_endpoint(self, **_: Any) -> dict[str, Any]:
        raise fake_aws.error("ValidationError", "Endpoint scones-vehicles of account 123456789012 not found.")


def test_a_missing_endpoint_is_named_with_the_remedy(cli: Cli, tmp_path: Path) -> None:
    image = tmp_path / "bicycle.png"
    image.write_bytes(b"png")
    session = FakeSession(cloudformation=CloudFormation(), sagemaker_runtime=Runtime())
    result = cli("endpoint", "invoke", str(image), session=session)
    assert isinstance(result.exception, EndpointNotFound)
    assert "deploy it first" in str(result.exception)
