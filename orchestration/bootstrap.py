"""What an account and region needs once: a bucket for templates, and repositories for the container images."""

from typing import Any

from orchestration import stack
from orchestration.errors import BootstrapMissing, StackMissing

STACK = "scones-bootstrap"
_LOCAL_BUCKET = "scones-artifacts"


def artifact_bucket(cloudformation: Any) -> str:
    """Return the bucket for templates of this account and region. Raises BootstrapMissing."""
    try:
        return stack.outputs(cloudformation, STACK)["ArtifactBucket"]
    except StackMissing as error:
        raise BootstrapMissing(STACK) from error


def local_artifact_bucket(s3: Any) -> str:
    """Return the bucket for templates in LocalStack; create it where it is missing: LocalStack persists nothing."""
    if _LOCAL_BUCKET not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        region = s3.meta.region_name
        location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=_LOCAL_BUCKET, **location)
    return _LOCAL_BUCKET
