import csv
import json
from pathlib import Path

import pytest

from orchestration.batch import ItemResult
from scones.batch_results import result_files

RESULT = ItemResult("b", 'a,"ü".png', "SUCCEEDED", "bicycle", 0.99, (0.99, 0.01), None, 12.34567, "arn")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_results_are_one_json_list_and_one_table(count: int, tmp_path: Path) -> None:
    with result_files(tmp_path / "new") as write:
        for _ in range(count):
            write(RESULT)
    found = json.loads((tmp_path / "new" / "results.json").read_text())
    rows = list(csv.DictReader((tmp_path / "new" / "results.csv").read_text().splitlines()))
    assert [item["s3_key"] for item in found] == [row["s3_key"] for row in rows] == [RESULT.s3_key] * count


def test_results_that_are_not_complete_do_not_appear(tmp_path: Path) -> None:
    def interrupted() -> None:
        with result_files(tmp_path) as write:
            write(RESULT)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list(tmp_path.glob("results.*"))
