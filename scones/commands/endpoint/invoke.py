"""`scones endpoint invoke`."""

import json
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import ClientError

from core.aws_errors import error_code
from scones.context import CommandContext
from scones.options import with_context
from training.errors import EndpointNotFound


@with_context("target", "stack", "home", "as_json")
def invoke(
    context: CommandContext,
    image: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A PNG or JPEG file.")],
) -> None:
    """Invoke the endpoint with one image, without the workflow.

    Example: `scones endpoint invoke bicycle.png`
    """
    name = context.endpoint_name
    try:
        response = context.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=name,
            ContentType="image/png" if image.suffix.lower() == ".png" else "image/jpeg",
            Accept="application/json",
            Body=image.read_bytes(),
        )
    except ClientError as error:
        if error_code(error) == "ValidationError" and "not found" in str(error):
            raise EndpointNotFound(name) from error
        raise
    probabilities = json.loads(response["Body"].read())
    context.print_values(dict(zip(context.outputs.labels, probabilities, strict=True)))
