"""The client as the function creates it, a new one for each test."""

from pathlib import Path
from typing import Any, cast

import endpoint
import pytest
from errors import InvalidConfiguration
from slim_sdk import slim


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}.items():
        monkeypatch.setenv(name, value)


def made() -> Any:
    return cast(Any, endpoint.sagemaker_runtime.__wrapped__())


def test_it_asks_once_and_gives_up_before_the_function_does() -> None:
    config = made().meta.config
    assert (config.connect_timeout, config.read_timeout) == (endpoint.CONNECT_TIMEOUT, endpoint.READ_TIMEOUT)
    assert (config.retries["mode"], config.retries["total_max_attempts"]) == ("standard", 1)
    assert config.tcp_keepalive is True
    assert made().meta.region_name == "eu-west-1"


def test_it_is_made_of_the_slim_data_where_the_image_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    everything = made().meta.service_model.operation_names
    slim(tmp_path)
    monkeypatch.setattr(endpoint, "_SDK", tmp_path)
    assert made().meta.service_model.operation_names == ["InvokeEndpoint"]
    assert len(everything) > 1


def test_without_a_region_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(InvalidConfiguration) as refusal:
        made()
    assert str(refusal.value) == "AWS_REGION is not set: set it, as Lambda does"
