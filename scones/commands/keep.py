"""`scones keep`: the pipeline is deployed, and deployed again whenever the local stack has forgotten it."""

import io
import signal
import threading
from pathlib import Path
from typing import Annotated

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from PIL import Image

from core.labels import VEHICLES
from orchestration import stack
from orchestration.errors import OrchestrationError, StackMissing
from scones import aws, console, options, pipeline
from scones.commands import stage
from scones.settings import Settings, Target
from training.errors import SageMakerError

SAMPLES = 4
SAMPLE_SIZE = 64
_POLL_SECONDS = 1.0
_PASSING = (OrchestrationError, SageMakerError, BotoCoreError, ClientError, OSError)
_READY = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


def keep(
    ready_file: Annotated[
        Path | None, typer.Option("--ready-file", help="A file that exists while everything is deployed.")
    ] = None,
    localstack_url: Annotated[
        str | None, typer.Option("--shown-localstack", help="LocalStack's address as people outside see it.")
    ] = None,
    sagemaker_url: Annotated[
        str | None, typer.Option("--shown-sagemaker", help="The SageMaker emulator's address as people outside see it.")
    ] = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
) -> None:
    """Deploy stack, endpoint and sample images locally, and again whenever LocalStack was started anew; until Ctrl-C.

    LocalStack's free edition keeps nothing when it ends. `docker compose up` runs this as its service `deploy`.
    Example: `scones keep --ready-file /tmp/ready`
    """
    settings = options.settings(Target.LOCAL, stack_name, home)
    session = aws.session(settings)
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: told.set())
    _mark(ready_file, ready=False)
    trouble = ""
    while not told.is_set():
        try:
            if not in_place(session, settings):
                _mark(ready_file, ready=False)
                _say(f"deploying the stack {settings.stack}")
                bucket = bring_up(session, settings).data_bucket
                _next_steps(bucket, localstack_url or settings.localstack_url, sagemaker_url or settings.sagemaker_url)
            _mark(ready_file, ready=True)
            trouble = ""
        except _PASSING as error:
            _mark(ready_file, ready=False)
            if str(error) != trouble:
                _say(f"not yet, trying again: {' '.join(str(error).split())}")
            trouble = str(error)
        told.wait(_POLL_SECONDS)


def in_place(session: boto3.Session, settings: Settings) -> bool:
    """Whether the stack is there and its endpoint in service; raises botocore's error where nothing answers."""
    quick = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1})
    cloudformation = session.client("cloudformation", config=quick)
    try:
        status = cloudformation.describe_stacks(StackName=settings.stack)["Stacks"][0]["StackStatus"]
        endpoint = session.client("sagemaker", config=quick).describe_endpoint(EndpointName=settings.endpoint_name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError" or "Could not find" in str(error):
            return False
        raise
    return status in _READY and endpoint["EndpointStatus"] == "InService"


def bring_up(session: boto3.Session, settings: Settings) -> pipeline.Deployed:
    """Deploy stack, endpoint and samples; what is there already is left as it is."""
    try:
        stack.outputs(session.client("cloudformation"), settings.stack)
    except StackMissing:
        pipeline.deploy_stack(session, settings, {})
    deployed = pipeline.deployed(session, settings)
    upload_samples(session, deployed.data_bucket)
    pipeline.deploy_endpoint(session, deployed, image_uri=stage.LOCAL_IMAGE, instance_type="ml.m5.xlarge")
    return deployed


def upload_samples(session: boto3.Session, bucket: str) -> None:
    """Put a few rendered vehicles of each kind under ``samples/``."""
    from training.data.synthetic import render  # noqa: PLC0415

    s3 = session.client("s3")
    for label, kind in enumerate(VEHICLES):
        for seed in range(SAMPLES):
            content = io.BytesIO()
            Image.fromarray(render(label, seed, SAMPLE_SIZE)).save(content, "PNG")
            s3.put_object(Bucket=bucket, Key=f"samples/{kind}-{seed}.png", Body=content.getvalue())


def _next_steps(bucket: str, localstack_url: str, sagemaker_url: str) -> None:
    for line in (
        f"everything is in place: LocalStack at {localstack_url}, SageMaker at {sagemaker_url}",
        f"next, from another terminal: scones run s3://{bucket}/samples/bicycle-0.png",
        "                             scones run IMAGE…    scones status    docker compose run --rm e2e",
        "all of it goes with:         docker compose down --volumes",
    ):
        _say(line)


def _say(line: str) -> None:
    console.err.print(console.escape(line), highlight=False, soft_wrap=True)


def _mark(file: Path | None, *, ready: bool) -> None:
    if file is None:
        return
    if ready:
        file.touch()
    else:
        file.unlink(missing_ok=True)
