import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scones.errors import BatchUnclear, ResultsNotWritten
from tests.scones.conftest import Cli
from tests.scones.fake_session import FakeSession
from tests.scones.fakes import S3

ARN = "arn:aws:states:us-east-1:000000000000:execution:scones-batch:photos"


class Ended:
    """A batch that has ended, of no image."""

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        now = datetime(2026, 3, 1, tzinfo=UTC)
        return {
            "executionArn": executionArn, "stateMachineArn": "arn:m", "status": "SUCCEEDED", "startDate": now,
            "stopDate": now, "input": json.dumps({"s3_bucket": "b", "prefix": "in/"}),
            "output": json.dumps({"results": {"s3_bucket": "b", "manifest_key": "manifest.json"}}),
        }  # fmt: skip

    def list_map_runs(self, **_: Any) -> dict[str, Any]:
        return {"mapRuns": []}


@pytest.mark.parametrize("words", [[], ["photos", "--attach", "arn"]])
def test_a_batch_is_started_or_attached_to_and_not_both(words: list[str], cli: Cli) -> None:
    assert isinstance(cli("batch", *words).exception, BatchUnclear)


def test_results_that_cannot_be_written_are_fetched_by_the_command_that_the_error_names(
    cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "photos").touch()
    session = FakeSession(s3=S3(**{"b/manifest.json": b'{"ResultFiles": {}}'}), stepfunctions=Ended())
    error = cli("batch", "--attach", ARN, "--out", str(tmp_path / "out"), session=session).exception
    assert isinstance(error, ResultsNotWritten)
    assert str(error).startswith(f"{tmp_path / 'out' / 'photos'}: File exists: the batch has ended")
    assert f"`scones batch --attach {ARN} --out FOLDER`" in str(error)
