"""docker-compose.yml holds behind a proxy that the Docker engine hands to every container, and with other ports."""

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


def test_the_review_page_listens_at_the_port_that_is_published() -> None:
    service = SERVICES["review"]
    published = "${SCONES_REVIEW_PORT:-8090}"
    assert f"--port={published}" in service["command"]
    assert service["ports"] == [f"127.0.0.1:{published}:{published}"]
