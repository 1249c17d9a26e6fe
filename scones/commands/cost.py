"""`scones cost`: what a number of images costs on AWS."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from orchestration import cost as calculation
from orchestration.cost import WORKFLOWS, Assumptions, Cost, Prices
from scones import console, options

_COLUMNS = {
    "workflow": "Step Functions",
    "lambda": "Lambda",
    "endpoint": "endpoint",
    "s3": "S3",
    "sqs": "SQS",
    "logs": "logs",
}

_PAGE = """# What it costs
Written by `scones cost --write docs/cost.md`; a test holds it to that. Its options take other assumptions.

## {images} images, in US dollars, {region}
| | {columns} | total | an image |
|---|{rule}
{costs}

Express costs {express} of Standard, batch {batch}: the difference is state transitions alone. Express may run an image
twice and keeps its history in logs only.

An endpoint that is left running costs {month} a month, images or none: at the assumed throughput these images keep it
busy for {hours} hours. `scones endpoint delete` ends that.

## Assumptions
No part of this was measured on AWS. Where a default is a guess, it says so; give what you measure.

| assumption | value | what it is |
|---|---:|---|
{assumptions}
| memory | {memory} | MB, from `orchestration/template.yaml` |

Batch counts one transition of the parent for each image, the dearer reading of AWS's page. Not counted: cold starts,
retries, alarms and dashboard, images in ECR, data out of AWS, training.

## Prices, as of {as_of}
{note}

| price | US dollars | for one | source |
|---|---:|---|---|
{prices}
"""


def cost(  # noqa: PLR0913, PLR0917 - the assumptions
    images: Annotated[int, typer.Option("--images", min=1, help="How many images.")] = 1_000_000,
    image_kb: Annotated[float | None, typer.Option("--image-kb", min=0.1, help="KB of one image.")] = None,
    serialize_ms: Annotated[float | None, typer.Option("--serialize-ms", min=1, help="Billed ms of serialize.")] = None,
    classify_ms: Annotated[float | None, typer.Option("--classify-ms", min=1, help="Billed ms of classify.")] = None,
    filter_ms: Annotated[float | None, typer.Option("--filter-ms", min=1, help="Billed ms of filter.")] = None,
    review_share: Annotated[
        float | None, typer.Option("--review-share", min=0, max=1, help="Share of images below the threshold.")
    ] = None,
    images_per_second: Annotated[
        float | None, typer.Option("--images-per-second", min=0.01, help="Throughput of the endpoint.")
    ] = None,
    architecture: Annotated[
        Literal["x86_64", "arm64"], typer.Option("--architecture", help="What the functions run on.")
    ] = "x86_64",
    write: Annotated[Path | None, typer.Option("--write", help="Write the whole account here, as Markdown.")] = None,
    as_json: options.JsonOption = False,
) -> None:
    """Compute what images cost by Standard, Express and batch, from list prices and stated assumptions.

    Example: `scones cost --images 50000 --classify-ms 80 --json`
    """
    named = {
        "image_kb": image_kb,
        "serialize_ms": serialize_ms,
        "classify_ms": classify_ms,
        "filter_ms": filter_ms,
        "review_share": review_share,
        "images_per_second": images_per_second,
    }
    changed: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    given = replace(Assumptions(architecture=architecture), **changed)
    prices = Prices.read()
    costs = [calculation.estimate(images, given, prices, workflow) for workflow in WORKFLOWS]
    if write is not None:
        write.write_text(markdown(costs, given, prices), "utf-8")
    if as_json:
        found = {"images": images, "region": prices.region, "prices_as_of": prices.as_of, "assumptions": asdict(given)}
        parts = {one.workflow: {**one.parts, "total": one.total} for one in costs}
        console.print_json(found | {"usd": parts, "endpoint_month_usd": calculation.endpoint_month(prices)})
        return
    table = Table("US dollars", *_COLUMNS.values(), "total", title=f"{images:,} images in {prices.region}")
    for one in costs:
        table.add_row(one.workflow, *(f"{one.parts[part]:,.2f}" for part in _COLUMNS), f"[bold]{one.total:,.2f}[/]")
    console.out.print(table)
    console.err.print(
        f"An endpoint that is left running costs {calculation.endpoint_month(prices):,.2f} a month, images or none. "
        f"List prices as of {prices.as_of}; docs/cost.md names sources and assumptions.",
        highlight=False,
    )


def markdown(costs: list[Cost], given: Assumptions, prices: Prices) -> str:
    """Return docs/cost.md."""
    images, names = costs[0].images, ("serialize", "classify", "filter")
    standard, express, batch = (one.total for one in costs)
    hours = images / given.images_per_second / 3600
    rows = []
    for one in costs:
        parts = " | ".join(f"{one.parts[part]:,.2f}" for part in _COLUMNS)
        rows.append(f"| {one.workflow} | {parts} | **{one.total:,.2f}** | {one.total / images:.7f} |")
    return _PAGE.format(
        images=f"{images:,}",
        region=prices.region,
        columns=" | ".join(_COLUMNS.values()),
        rule="---:|" * (len(_COLUMNS) + 2),
        costs="\n".join(rows),
        express=f"{express / standard:.0%}",
        batch=f"{batch / standard:.0%}",
        month=f"{calculation.endpoint_month(prices):,.2f}",
        hours=f"{hours:,.1f}",
        assumptions="\n".join(
            f"| `{name}` | {asdict(given)[name]} | {text} |" for name, text in given.descriptions().items()
        ),
        memory=", ".join(f"{name} {calculation.memory_mb(name)}" for name in names),
        as_of=prices.as_of,
        note=prices.note,
        prices="\n".join(
            f"| `{name}` | {row['price']:.10f} | {row['unit']} | {row['source']} |"
            for name, row in prices.table.items()
        ),
    )
