"""`scones cost`."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from core.files import write_atomically
from orchestration.cost import WORKFLOWS, Assumptions, Prices, endpoint_month, estimate
from scones import console
from scones.context import CommandContext
from scones.options import with_context
from scones.views.cost import cost_table, markdown


@with_context("as_json")
def cost(  # noqa: PLR0913, PLR0917 - the assumptions
    context: CommandContext,
    images: Annotated[int, typer.Option("--images", min=1, help="Number of images.")] = 1_000_000,
    image_kb: Annotated[float | None, typer.Option("--image-kb", min=0.1, help="Size of an image in KB.")] = None,
    serialize_ms: Annotated[
        float | None, typer.Option("--serialize-ms", min=1, help="Billed ms of SerializeImageData.")
    ] = None,
    classify_ms: Annotated[
        float | None, typer.Option("--classify-ms", min=1, help="Billed ms of ClassifyImageData.")
    ] = None,
    filter_ms: Annotated[
        float | None, typer.Option("--filter-ms", min=1, help="Billed ms of FilterInferences.")
    ] = None,
    review_share: Annotated[
        float | None, typer.Option("--review-share", min=0, max=1, help="Share of images below the threshold.")
    ] = None,
    images_per_second: Annotated[
        float | None, typer.Option("--images-per-second", min=0.01, help="Throughput of one instance.")
    ] = None,
    architecture: Annotated[
        Literal["x86_64", "arm64"], typer.Option("--architecture", help="Architecture of the functions.")
    ] = "x86_64",
    write: Annotated[
        Path | None, typer.Option("--write", help="File for the estimate with its assumptions, as Markdown.")
    ] = None,
) -> None:
    """Estimate the cost of classifying images on AWS.

    Compares Standard, Express and batch executions, from list prices and assumptions.

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
    assumptions = replace(Assumptions(architecture=architecture), **changed)
    prices = Prices.read()
    costs = [estimate(images, assumptions, prices, workflow) for workflow in WORKFLOWS]
    if write is not None:
        write_atomically(write, markdown(costs, assumptions, prices))
    if context.as_json:
        result = {"images": images, "region": prices.region, "prices_as_of": prices.as_of}
        parts = {each.workflow: {**each.parts, "total": each.total} for each in costs}
        result |= {"assumptions": asdict(assumptions), "usd": parts, "endpoint_month_usd": endpoint_month(prices)}
        console.print_json(result)
        return
    console.out.print(cost_table(costs, prices))
    console.note(
        f"An endpoint that is left running costs {endpoint_month(prices):,.2f} a month, with or without images. "
        f"List prices as of {prices.as_of}; docs/cost.md names sources and assumptions."
    )
