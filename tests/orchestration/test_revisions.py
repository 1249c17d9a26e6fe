import pytest

from orchestration import revisions
from orchestration.errors import RevisionMissing
from orchestration.revisions import Revision
from tests import fake_aws
from tests.scones.fake_cloudformation import CloudFormation
from tests.scones.fakes import S3

FIRST, SECOND, THIRD = (Revision("Resources: {}", {"Threshold": value}) for value in ("0.9", "0.8", "0.7"))


def test_what_is_deployed_is_the_template_with_its_parameters() -> None:
    cloudformation = fake_aws.client("cloudformation", CloudFormation())
    assert revisions.deployed(cloudformation, "scones") == Revision("Resources: {}", {"Threshold": "0.94"})
    assert revisions.deployed(fake_aws.client("cloudformation", CloudFormation(exists=False)), "scones") is None


def test_the_previous_revision_is_the_newest_that_is_not_deployed() -> None:
    s3 = fake_aws.client("s3", S3())
    revisions.save(s3, "b", "scones", FIRST)
    revisions.save(s3, "b", "scones", SECOND)
    assert revisions.previous(s3, "b", "scones", THIRD) == SECOND
    assert revisions.previous(s3, "b", "scones", SECOND) == FIRST, "as after a deployment that failed"


def test_a_second_rollback_undoes_the_first() -> None:
    s3 = fake_aws.client("s3", S3())
    revisions.save(s3, "b", "scones", FIRST)
    assert revisions.previous(s3, "b", "scones", SECOND) == FIRST
    revisions.save(s3, "b", "scones", SECOND)
    assert revisions.previous(s3, "b", "scones", FIRST) == SECOND


def test_a_stack_that_was_never_changed_has_no_previous_revision() -> None:
    s3 = fake_aws.client("s3", S3())
    with pytest.raises(RevisionMissing, match="no earlier deployment"):
        revisions.previous(s3, "b", "scones", FIRST)
