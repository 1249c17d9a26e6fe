"""The client as the function creates it, a new one for each test."""

from pathlib import Path
from typing import Any, cast

import pytest
import store
from slim_sdk import slim


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}.items():
        monkeypatch.setenv(name, value)


def made() -> Any:
    return cast(Any, store.s3.__wrapped__())


def test_it_asks_three_times_and_gives_up_before_the_function_does() -> None:
    config = made().meta.config
    assert (config.connect_timeout, config.read_timeout, config.tcp_keepalive) == (2, 8, True)
    assert (config.retries["mode"], config.retries["total_max_attempts"]) == ("standard", 3)
    assert made().meta.region_name == "eu-west-1"


def test_it_is_made_of_the_slim_data_where_the_image_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    everything = made().meta.service_model.operation_names
    slim(tmp_path)
    monkeypatch.setattr(store, "_SDK", tmp_path)
    assert sorted(made().meta.service_model.operation_names) == ["GetObject", "HeadBucket"]
    assert len(everything) > 2
