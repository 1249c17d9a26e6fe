"""What `scones cost` shows: a table, and docs/cost.md."""

from dataclasses import asdict

from orchestration import cost as calculation
from orchestration.cost import Assumptions, Cost, Prices
from scones.tables import FoldingTable

_COLUMNS = {
    "workflow": "Step Functions",
    "lambda": "Lambda",
    "endpoint": "endpoint",
    "s3": "S3",
    "events": "EventBridge",
    "sqs": "SQS",
    "logs": "logs",
}

_PAGE = """# Cost
Written by `scones cost --write docs/cost.md`; a test compares them. Use its options for other assumptions.

## {images} images, in US dollars, {region}
| | {columns} | total | an image |
|---|{rule}
{costs}

Express costs {express} of Standard and batch {batch}; the difference is the price of state transitions. Express can
process an image twice, and its history is in logs only.

A running endpoint costs {month} a month, used or not; at the assumed throughput these images need {hours} hours of it.
`scones endpoint delete` deletes it.

## Assumptions
Nothing here was measured on AWS. Guesses are marked as such; replace them with your own measurements.

| assumption | value | meaning |
|---|---:|---|
{assumptions}
| memory | {memory} | MB, from `orchestration/template.yaml` |

A batch is counted with one state transition of the parent for each image, the more expensive reading of AWS's page. The
bucket reports every object to EventBridge; AWS's page prices such opt-in data events, other sources call them free. Not
included: cold starts, retries, alarms and dashboard, container images in ECR, data transfer out of AWS, training.

## Prices, as of {as_of}
{note}

| price | US dollars | unit | source |
|---|---:|---|---|
{prices}
"""


def cost_table(costs: list[Cost], prices: Prices) -> FoldingTable:
    """Return the costs by part and workflow, in US dollars."""
    table = FoldingTable("US dollars", title=f"{costs[0].images:,} images in {prices.region}")
    for cost in costs:
        table.add_column(cost.workflow, justify="right")
    for part, name in _COLUMNS.items():
        table.add_row(name, *(f"{cost.parts[part]:,.2f}" for cost in costs))
    table.add_row("[bold]total[/]", *(f"[bold]{cost.total:,.2f}[/]" for cost in costs))
    return table


def markdown(costs: list[Cost], assumptions: Assumptions, prices: Prices) -> str:
    """Return docs/cost.md."""
    images, names = costs[0].images, ("serialize", "classify", "filter")
    standard, express, batch = (one.total for one in costs)
    hours = images / assumptions.images_per_second / 3600
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
            f"| `{name}` | {asdict(assumptions)[name]} | {meaning} |"
            for name, meaning in assumptions.descriptions().items()
        ),
        memory=", ".join(f"{name} {calculation.memory_mb(name)}" for name in names),
        as_of=prices.as_of,
        note=prices.note,
        prices="\n".join(
            f"| `{name}` | {row['price']:.10f} | {row['unit']} | {row['source']} |"
            for name, row in prices.table.items()
        ),
    )
