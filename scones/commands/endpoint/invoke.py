"""`scones endpoint invoke`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from scones.context import CommandContext
from scones.options import with_context


@with_context("target", "stack", "home", "as_json")
def invoke(
    context: CommandContext,
    image: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A PNG or JPEG file.")],
) -> None:
    """Invoke the endpoint with one image, without the workflow.

    Example: `scones endpoint invoke bicycle.png`
    """
    response = context.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=context.endpoint_name,
        ContentType="image/png" if image.suffix.lower() == ".png" else "image/jpeg",
        Accept="application/json",
        Body=image.read_bytes(),
    )
    probabilities = json.loads(response["Body"].read())
    context.print_values(dict(zip(context.outputs.labels, probabilities, strict=True)))
