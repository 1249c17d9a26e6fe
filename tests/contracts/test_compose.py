"""docker-compose.yml holds on machines whose Docker engine hands a proxy to every container."""

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
RUNNING = [name for name, service in SERVICES.items() if service.get("scale") != 0]
REACHED = {"localstack", "sagemaker", "serialize", "classify", "filter"}


@pytest.mark.parametrize("name", RUNNING)
def test_no_service_reaches_another_through_a_proxy(name: str) -> None:
    environment = SERVICES[name]["environment"]
    for variable in ("NO_PROXY", "no_proxy"):
        assert set(environment[variable].split(",")) >= {*REACHED, "localhost", "127.0.0.1"}
