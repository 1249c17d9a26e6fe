from collections.abc import Iterator
from typing import Any, cast

import pytest
from s3_objects import s3
from s3_stub import S3Stub, running


@pytest.fixture(scope="session")
def server() -> Iterator[S3Stub]:
    """Return an S3 that the handler's own client talks to."""
    with running() as stub, pytest.MonkeyPatch.context() as environment:
        # A name, as emulators have, and no address: the bucket must not become part of either.
        environment.setenv("AWS_ENDPOINT_URL_S3", f"http://localhost:{stub.server_port}")
        environment.setenv("AWS_REGION", "us-east-1")
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield stub
        cast(Any, s3().session).close()


@pytest.fixture
def bucket(server: S3Stub) -> S3Stub:
    """Return that S3, empty."""
    server.objects.clear()
    server.failures.clear()
    server.paths.clear()
    return server
