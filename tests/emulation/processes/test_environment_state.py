"""The state of an environment survives its file."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from emulation.processes.environment_state import EnvironmentState

STATE = EnvironmentState(
    pid=7,
    localstack_url="http://127.0.0.1:4566",
    sagemaker_url="http://127.0.0.1:8080",
    lambda_urls={"serialize": "http://127.0.0.1:1"},
    region="eu-west-1",
    logs=Path("/somewhere/logs"),
    home=Path("/somewhere"),
    started=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
)


def test_a_state_survives_its_file() -> None:
    assert EnvironmentState.from_json(STATE.to_json()) == STATE


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": null}'])
def test_a_file_that_is_no_state_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        EnvironmentState.from_json(text)
