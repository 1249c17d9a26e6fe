"""What became of a batch's images, written one by one to results.json and results.csv, and counted."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from orchestration import batch as batches
from orchestration.batch import Batch, ItemResult, KeySet

_COLUMNS = ("s3_bucket", "s3_key", "outcome", "label", "confidence", "message", "milliseconds", "execution_arn")

Write = Callable[[ItemResult], None]


@dataclass(frozen=True)
class BatchSummary:
    """The counts of a batch; ``results`` is the JSON file, and the CSV file lies beside it."""

    images: int
    outcomes: dict[str, int]
    labels: dict[str, int]
    seconds: float
    results: str


def collect(s3: Any, batch: Batch, folder: Path, seconds: float) -> tuple[BatchSummary, KeySet]:
    """Write a batch's results to ``folder`` and count them, without holding more than one in memory."""
    keys, outcomes, labels = KeySet(), Counter[str](), Counter[str]()
    with result_files(folder) as write:
        for result in batches.results(s3, batch.manifest):
            write(result)
            keys.add(result.s3_key)
            outcomes[result.outcome] += 1
            if result.label is not None:
                labels[result.label] += 1
    path = str(folder / "results.json")
    return BatchSummary(keys.count, dict(outcomes.most_common()), dict(labels), round(seconds, 2), path), keys


@contextmanager
def result_files(folder: Path) -> Iterator[Write]:
    """Yield a function that writes one result to results.json, a list, and results.csv; both appear when complete."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = {name: folder / f".{name}.unfinished" for name in ("results.json", "results.csv")}
    with (
        unfinished["results.json"].open("w", encoding="utf-8") as json_file,
        unfinished["results.csv"].open("w", encoding="utf-8", newline="") as csv_file,
    ):
        yield _writer(json_file, csv_file)
        json_file.write("\n]\n")
    for name, path in unfinished.items():
        path.replace(folder / name)


def _writer(json_file: IO[str], csv_file: IO[str]) -> Write:
    table = csv.DictWriter(csv_file, _COLUMNS, extrasaction="ignore")
    table.writeheader()
    json_file.write("[")
    separators = iter(["\n"])

    def write(result: ItemResult) -> None:
        values = asdict(result) | {"milliseconds": round(result.milliseconds, 3)}
        json_file.write(next(separators, ",\n") + json.dumps(values))
        table.writerow(values)

    return write
