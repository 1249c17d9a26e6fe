from collections.abc import Iterator
from typing import Any, cast

import pytest
from endpoint import sagemaker_runtime
from endpoint_stub import EndpointStub, running


@pytest.fixture(scope="session")
def server() -> Iterator[EndpointStub]:
    """Return an endpoint that the handler's own client talks to."""
    with running() as stub, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", f"http://127.0.0.1:{stub.server_port}")
        environment.setenv("AWS_REGION", "us-east-1")
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("ENDPOINT_NAME", "vehicles")
        yield stub
        cast(Any, sagemaker_runtime().session).close()


@pytest.fixture
def endpoint(server: EndpointStub) -> EndpointStub:
    """Return that endpoint, answering a sure bicycle."""
    server.reset()
    return server
