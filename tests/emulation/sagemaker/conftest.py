import contextlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulation.fakes.s3 import FakeS3, fake_s3
from tests.emulation.sagemaker.emulator import Emulator


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator for all tests that leave it running; each takes names of its own."""
    with fake_s3() as s3:
        running = Emulator(tmp_path_factory.mktemp("sagemaker") / "state", s3, ("--capture-seconds", "0.2")).start()
        yield running
        running.stop()


@pytest.fixture(scope="session")
def stub_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator for all tests that need no models."""
    with fake_s3() as s3:
        running = Emulator(tmp_path_factory.mktemp("stub_emulator") / "state", s3, ("--stub-model",)).start()
        yield running
        running.stop()


@pytest.fixture
def name(emulator: Emulator) -> Iterator[str]:
    """A name of the test's own; the endpoint of that name is taken down again."""
    name = f"e-{uuid.uuid4().hex[:12]}"
    yield name
    sagemaker = emulator.client("sagemaker")
    for endpoint in sagemaker.list_endpoints(NameContains=name)["Endpoints"]:
        with contextlib.suppress(ClientError):
            sagemaker.delete_endpoint(EndpointName=endpoint["EndpointName"])


@pytest.fixture
def s3() -> Iterator[FakeS3]:
    with fake_s3() as running:
        yield running


@pytest.fixture
def make_emulator(tmp_path: Path, s3: FakeS3) -> Iterator[Callable[..., Emulator]]:
    """Makes emulators that a test may kill; they are not started yet."""
    made: list[Emulator] = []

    def make(*options: str, **fields: Any) -> Emulator:
        emulator = Emulator(tmp_path / f"state-{len(made)}", s3, ("--capture-seconds", "0.2", *options), **fields)
        made.append(emulator)
        return emulator

    yield make
    for emulator in made:
        emulator.stop()
