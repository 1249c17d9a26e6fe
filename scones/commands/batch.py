"""`scones batch`: very many images in one execution, followed to its end and written down one by one."""

import csv
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from orchestration import batch as batches
from orchestration.batch import Batch, ItemResult, KeySet
from scones import aws, console, image_inputs, options, pipeline
from scones.commands.run import INTERRUPTED, ThresholdOption
from scones.errors import BatchUnclear, BucketNotReadable, ImagesMissing

_COLUMNS = ("s3_bucket", "s3_key", "outcome", "label", "confidence", "message", "milliseconds", "execution_arn")


@dataclass(frozen=True)
class Summary:
    """What became of a batch; ``results`` is the JSON file, and the CSV file lies beside it."""

    images: int
    outcomes: dict[str, int]
    labels: dict[str, int]
    seconds: float
    results: str


def batch(  # noqa: PLR0913, PLR0917 - each is an option
    source: Annotated[
        str | None,
        typer.Argument(
            help='A folder, s3://bucket/prefix, or a manifest: a JSON list of {"s3_key": …}, here or in S3.',
            metavar="DIR|s3://…|MANIFEST.json",
        ),
    ] = None,
    attach: Annotated[
        str | None, typer.Option("--attach", help="Follow the batch with this execution ARN instead of starting one.")
    ] = None,
    threshold: ThresholdOption = None,
    concurrency: Annotated[
        int | None,
        typer.Option("--concurrency", min=1, max=10_000, help="Images under way at once [default: the stack's]."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.")] = Path("out"),
    stop_on_interrupt: Annotated[
        bool, typer.Option("--stop-on-interrupt", help="Ctrl-C stops the batch instead of only the following of it.")
    ] = False,
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Classify all images of a folder, a prefix or a manifest as one batch, and write results.json and results.csv.

    Exit code 0 only if every image is accounted for: classified, sent to review, or failed by name.

    Example: `scones batch photos/ --json`
    """
    if (source is None) == (attach is None):
        raise BatchUnclear
    settings = options.settings(target, stack_name, home)
    session = aws.session(settings)
    deployed = pipeline.deployed(session, settings)
    stepfunctions, s3 = session.client("stepfunctions"), session.client("s3")
    begun = time.monotonic()
    arn = attach
    if arn is None:
        name = f"batch-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        payload = _payload(s3, deployed, name, str(source))
        payload |= {} if threshold is None else {"threshold": threshold}
        payload |= {} if concurrency is None else {"max_concurrency": concurrency}
        arn = batches.start(stepfunctions, deployed.batch_state_machine_arn, payload, name)
    finished = _follow(stepfunctions, s3, arn, stop_on_interrupt=stop_on_interrupt)
    folder = out / arn.rpartition(":")[2]
    seconds = finished.seconds if attach else time.monotonic() - begun
    summary, ledger = collect(s3, finished, folder, seconds)
    expected = KeySet()
    for key in batches.expected_keys(s3, finished.input):
        expected.add(key)
    _tell(summary, as_json=as_json)
    if ledger != expected:
        console.err.print(
            f"[red]not every image is accounted for[/]: {expected.count} were to be classified, "
            f"{ledger.count} have a result; what was added or removed meanwhile counts too"
        )
        raise typer.Exit(1)


def collect(s3: Any, finished: Batch, folder: Path, seconds: float) -> tuple[Summary, KeySet]:
    """Write a batch's results to ``folder`` and count them, without holding more than one in memory."""
    ledger, outcomes, labels = KeySet(), Counter[str](), Counter[str]()
    with written(folder) as write:
        for result in batches.results(s3, finished.manifest):
            write(result)
            ledger.add(result.s3_key)
            outcomes[result.outcome] += 1
            if result.label is not None:
                labels[result.label] += 1
    where = str(folder / "results.json")
    return Summary(ledger.count, dict(outcomes.most_common()), dict(labels), round(seconds, 2), where), ledger


@contextmanager
def written(folder: Path) -> Iterator[Any]:
    """Give a function that writes one result to results.json, a list, and results.csv; they appear when complete."""
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


def _writer(json_file: IO[str], csv_file: IO[str]) -> Any:
    table = csv.DictWriter(csv_file, _COLUMNS, extrasaction="ignore")
    table.writeheader()
    json_file.write("[")
    separators = iter(["\n"])

    def write(result: ItemResult) -> None:
        values = asdict(result) | {"milliseconds": round(result.milliseconds, 3)}
        json_file.write(next(separators, ",\n") + json.dumps(values))
        table.writerow(values)

    return write


def _payload(s3: Any, deployed: pipeline.Deployed, name: str, source: str) -> dict[str, Any]:
    """Return the batch machine's input for what the user named; local files are uploaded.

    Raises ImagesMissing, and BucketNotReadable for a bucket that the stack's roles may not read.
    """
    bucket = deployed.data_bucket
    if source.startswith("s3://"):
        there, key = image_inputs.address(source)
        if there not in {bucket, deployed.image_bucket}:
            raise BucketNotReadable(there, bucket)
        if not s3.list_objects_v2(Bucket=there, Prefix=key, MaxKeys=1).get("Contents"):
            raise ImagesMissing(source)
        return {"s3_bucket": there, ("manifest_key" if key.endswith(".json") else "prefix"): key}
    path = Path(source)
    if path.is_dir():
        prefix = f"batches/{name}/"
        with console.progress("uploading") as advance:
            image_inputs.upload_folder(s3, bucket, prefix, path, lambda count: advance(count, count))
        return {"s3_bucket": bucket, "prefix": prefix}
    if path.suffix == ".json" and path.is_file():
        key = f"batches/{name}.json"
        s3.upload_file(str(path), bucket, key)
        return {"s3_bucket": bucket, "manifest_key": key}
    raise ImagesMissing(source)


def _follow(stepfunctions: Any, s3: Any, arn: str, *, stop_on_interrupt: bool) -> Batch:
    """Follow a batch with a bar; an interruption ends the following, and the batch only where that was asked for."""
    console.err.print(f"batch {arn}", highlight=False, soft_wrap=True)
    try:
        expected = sum(1 for _ in batches.expected_keys(s3, batches.batch_input(stepfunctions, arn)))
        with console.progress("classifying") as advance:
            return batches.wait(
                stepfunctions,
                arn,
                lambda progress: advance(progress.ended, max(expected, progress.total)),
                replace(batches.WAITER, poll_seconds=0.5),
            )
    except KeyboardInterrupt:
        if stop_on_interrupt:
            batches.stop(stepfunctions, arn)
            console.err.print("the batch is stopped; what had ended stays as it is")
        else:
            console.err.print(f"the batch goes on; follow it with\n  scones batch --attach {arn}", soft_wrap=True)
        raise typer.Exit(INTERRUPTED) from None


def _tell(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        console.print_json(asdict(summary))
        return
    told = asdict(summary)
    for name in ("outcomes", "labels"):
        told[name] = ", ".join(f"{key} {count}" for key, count in told[name].items()) or "none"
    told["throughput"] = f"{summary.images / summary.seconds:.1f} images a second" if summary.seconds else ""
    console.tell(told, as_json=False)
