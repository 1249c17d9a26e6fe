"""Deploys stack, endpoint and sample images to LocalStack, whenever they are not there."""

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from core.defaults import ENDPOINT_INSTANCE_TYPE
from core.labels import VEHICLES
from orchestration import stack
from orchestration.stack_outputs import StackOutputs, read_stack_outputs
from scones.model_serving import deploy_endpoint
from scones.settings import Settings
from scones.stack_revisions import StackRevisions
from training.data.synthetic import render_png
from training.errors import is_missing

SAMPLES = 4
SAMPLE_SIZE = 64
_COMPLETE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


def is_deployed(session: boto3.Session, settings: Settings) -> bool:
    """Tell whether the stack is complete and its endpoint in service. Raises botocore's errors."""
    config = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1})
    cloudformation = session.client("cloudformation", config=config)
    sagemaker = session.client("sagemaker", config=config)
    if stack.status(cloudformation, settings.stack) not in _COMPLETE:
        return False
    name = read_stack_outputs(cloudformation, settings.stack).endpoint_name
    try:
        endpoint = sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if is_missing(error):
            return False
        raise
    return bool(endpoint["EndpointStatus"] == "InService")


def deploy_all(session: boto3.Session, settings: Settings) -> StackOutputs:
    """Deploy stack, endpoint and samples; what is deployed already is left as it is."""
    cloudformation = session.client("cloudformation")
    if stack.status(cloudformation, settings.stack) is None:
        StackRevisions(session, settings).deploy({})
    outputs = read_stack_outputs(cloudformation, settings.stack)
    upload_samples(session, outputs.data_bucket)
    deploy_endpoint(session, outputs, instance_type=ENDPOINT_INSTANCE_TYPE)
    return outputs


def upload_samples(session: boto3.Session, bucket: str) -> None:
    """Put a few rendered vehicles of each kind under ``samples/``."""
    s3 = session.client("s3")
    for label, kind in enumerate(VEHICLES):
        for seed in range(SAMPLES):
            content = render_png(label, seed, SAMPLE_SIZE)
            s3.put_object(Bucket=bucket, Key=f"samples/{kind}-{seed}.png", Body=content)
