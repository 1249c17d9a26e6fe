"""The results of a batch: written one by one to results.json and results.csv, and counted."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from core.s3_uris import S3Uri, is_s3_uri
from orchestration import batch as batches
from orchestration.batch import Batch, ItemResult, KeySet
from scones.image_inputs import SKIPPED, SkippedInput

_COLUMNS = ("s3_bucket", "s3_key", "outcome", "label", "confidence", "message", "milliseconds", "execution_arn")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - as Excel takes them

Write = Callable[[ItemResult], None]


@dataclass(frozen=True)
class BatchSummary:
    """The counts of a batch: ``inputs`` are ``images`` with a result and what is skipped, by the reason.

    ``results`` is the JSON file, and the CSV file is next to it.
    """

    inputs: int
    images: int
    outcomes: dict[str, int]
    labels: dict[str, int]
    skipped: dict[str, int]
    seconds: float
    results: str


def collect(
    s3: Any, batch: Batch, folder: Path, seconds: float, skipped: Sequence[SkippedInput] = ()
) -> tuple[BatchSummary, KeySet]:
    """Write a batch's results to ``folder`` and count them, without holding more than one in memory.

    What is skipped follows the results.
    """
    keys, outcomes, labels = KeySet(), Counter[str](), Counter[str]()
    with result_files(folder) as write:
        for result in batches.results(s3, batch.manifest):
            write(result)
            keys.add(result.s3_key)
            outcomes[result.outcome] += 1
            if result.label is not None:
                labels[result.label] += 1
        for entry in skipped:
            write(_result_of(entry))
    path = str(folder / "results.json")
    summary = BatchSummary(
        inputs=keys.count + len(skipped),
        images=keys.count,
        outcomes=dict(outcomes.most_common()),
        labels=dict(labels),
        skipped=dict(Counter(entry.reason for entry in skipped).most_common()),
        seconds=round(seconds, 2),
        results=path,
    )
    return summary, keys


def _result_of(entry: SkippedInput) -> ItemResult:
    bucket, key = S3Uri.parse(entry.name) if is_s3_uri(entry.name) else ("", entry.name)
    return ItemResult(bucket, key, SKIPPED, None, None, None, entry.reason, 0.0, "")


@contextmanager
def result_files(folder: Path) -> Iterator[Write]:
    """Yield a function that writes one result to results.json, a list, and results.csv; both appear when complete."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = {name: folder / f".{name}.unfinished" for name in ("results.json", "results.csv")}
    try:
        with (
            unfinished["results.json"].open("w", encoding="utf-8") as json_file,
            unfinished["results.csv"].open("w", encoding="utf-8", errors="backslashreplace", newline="") as csv_file,
        ):
            yield _writer(json_file, csv_file)
            json_file.write("\n]\n")
        for name, path in unfinished.items():
            path.replace(folder / name)
    finally:
        for path in unfinished.values():
            path.unlink(missing_ok=True)


def _writer(json_file: IO[str], csv_file: IO[str]) -> Write:
    table = csv.DictWriter(csv_file, _COLUMNS, extrasaction="ignore")
    table.writeheader()
    json_file.write("[")
    separators = iter(["\n"])

    def write(result: ItemResult) -> None:
        values = asdict(result) | {"milliseconds": round(result.milliseconds, 3)}
        json_file.write(next(separators, ",\n") + json.dumps(values))
        table.writerow({name: csv_cell(value) for name, value in values.items()})

    return write


def csv_cell(value: Any) -> Any:
    """Return a value as a cell that no spreadsheet takes for a formula: such a text gets an apostrophe before it.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
