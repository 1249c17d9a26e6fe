"""The bootstrap stack: what an account and region needs once, for every stack in it.

An artifact bucket for templates and state machines, ECR repositories for the container images, and optionally a role
with which a GitHub repository deploys. Its template is small enough for a request, and so needs no bucket itself.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestration import stack, stack_outputs
from orchestration.errors import BootstrapMissing, StackNotFound

STACK = "scones-bootstrap"
REPOSITORY_PREFIX = "scones"
TEMPLATE = Path(__file__).with_name("bootstrap.yaml")
_LOCAL_BUCKET = "scones-artifacts"


def deploy(
    cloudformation: Any,
    parameters: Mapping[str, str],
    *,
    options: stack.DeploymentOptions = stack.DEFAULT_OPTIONS,
    on_changes: stack.OnChanges = lambda _: None,
    on_event: stack.OnEvent = lambda _: None,
    poll: float = 3.0,
) -> stack.Deployment:
    """Create or update the bootstrap stack. Raises a StackError."""
    return stack.deploy(
        cloudformation,
        STACK,
        {"TemplateBody": TEMPLATE.read_text("utf-8")},
        parameters,
        options=options,
        on_changes=on_changes,
        on_event=on_event,
        poll=poll,
    )


def exists(cloudformation: Any) -> bool:
    """Tell whether this account and region has the bootstrap stack."""
    try:
        artifact_bucket(cloudformation)
    except BootstrapMissing:
        return False
    return True


def artifact_bucket(cloudformation: Any) -> str:
    """Return the name of the artifact bucket. Raises BootstrapMissing."""
    try:
        outputs = stack_outputs.output_values(cloudformation, STACK)
    except StackNotFound as error:
        raise BootstrapMissing(STACK) from error
    if "ArtifactBucket" not in outputs:  # its creation has failed or is in progress
        raise BootstrapMissing(STACK)
    return outputs["ArtifactBucket"]


def local_artifact_bucket(s3: Any) -> str:
    """Return the artifact bucket in LocalStack; create it where it is missing: LocalStack persists nothing."""
    if _LOCAL_BUCKET not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        region = s3.meta.region_name
        # S3 takes no location constraint for its first region.
        location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=_LOCAL_BUCKET, **location)
    return _LOCAL_BUCKET
