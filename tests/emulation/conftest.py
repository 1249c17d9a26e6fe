import os
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from tests.emulation.lambda_hosts import LambdaEndpoint, install_probe, lambda_host


@pytest.fixture(scope="session")
def cache() -> Path:
    """LocalStack's private environment is made once and shared by all runs."""
    return Path(os.environ.get("SCONES_CACHE") or platformdirs.user_cache_dir("scones"))


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a service whose handler does as it is told."""
    return install_probe(tmp_path_factory.mktemp("services") / "probe")


@pytest.fixture(scope="module")
def host(probe: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LambdaEndpoint]:
    """A Lambda host around the probe."""
    log = tmp_path_factory.mktemp("host") / "host.log"
    with lambda_host(probe, log, "--timeout", "900", "--memory", "512") as (endpoint, _):
        yield endpoint
