from typing import Any

import pytest

from scones.batch_inputs import state_machine_input
from scones.errors import BucketNotReadable, ImagesMissing
from tests import fake_aws
from tests.scones.stacks import deployed

OUTPUTS = deployed(data_bucket="own", image_bucket="depot")


class Bucket:
    """Has one image under images/."""

    def list_objects_v2(self, Bucket: str, Prefix: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        return {"Contents": [{"Key": "images/a.png"}]} if "images/a.png".startswith(Prefix) else {}


def of(source: str) -> dict[str, Any]:
    return state_machine_input(fake_aws.client("s3", Bucket()), OUTPUTS, "n", source)


@pytest.mark.parametrize("bucket", ["own", "depot"])
def test_a_prefix_of_a_bucket_that_the_stack_may_read_is_taken(bucket: str) -> None:
    assert of(f"s3://{bucket}/images/") == {"s3_bucket": bucket, "prefix": "images/"}


def test_a_bucket_that_the_stack_may_not_read_is_refused_before_anything_starts() -> None:
    with pytest.raises(BucketNotReadable, match="ImageBucket=elsewhere"):
        of("s3://elsewhere/images/")


def test_a_prefix_without_an_object_is_a_named_error_and_no_empty_batch() -> None:
    with pytest.raises(ImagesMissing, match="s3://own/imges/"):
        of("s3://own/imges/")
