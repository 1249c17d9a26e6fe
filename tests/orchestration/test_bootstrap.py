import json
from typing import Any

import pytest

from orchestration import bootstrap
from orchestration.errors import BootstrapMissing
from scones import container_image_uris
from tests import fake_aws
from tests.contracts.rendered import load
from tests.scones.fake_cloudformation import CloudFormation

TEXT = bootstrap.TEMPLATE.read_text("utf-8")
RESOURCES: dict[str, dict[str, Any]] = load(TEXT)["Resources"]
REPOSITORIES = [each["Properties"] for each in RESOURCES.values() if each["Type"] == "AWS::ECR::Repository"]


def test_the_template_fits_a_request_which_needs_no_bucket() -> None:
    assert len(TEXT.encode()) < 51_200


def test_there_is_a_repository_for_each_image() -> None:
    assert {each["RepositoryName"] for each in REPOSITORIES} == {
        container_image_uris.repository(name) for name in container_image_uris.ALL
    }


def test_every_repository_is_immutable_scanned_and_tidied() -> None:
    for properties in REPOSITORIES:
        assert properties["ImageTagMutability"] == "IMMUTABLE"
        assert properties["ImageScanningConfiguration"] == {"ScanOnPush": True}
        rules = json.loads(properties["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
        assert [rule["action"] for rule in rules] == [{"type": "expire"}] * 2


def test_lambda_pulls_from_the_repositories_of_functions_alone() -> None:
    pulled = {each["RepositoryName"] for each in REPOSITORIES if "RepositoryPolicyText" in each}
    assert pulled == {container_image_uris.repository(name) for name in container_image_uris.SERVICES}


def test_the_workflow_may_not_change_its_own_permissions() -> None:
    (policy,) = RESOURCES["DeploymentRole"]["Properties"]["Policies"]
    (denied,) = [each for each in policy["PolicyDocument"]["Statement"] if each.get("Effect") == "Deny"]
    kinds = {arn["Sub"].partition("${AWS::AccountId}:")[2] for arn in denied["Resource"]}
    assert (denied["Action"], kinds) == ("iam:*", {"policy/${AWS::StackName}-*", "role/${AWS::StackName}-*"})


def test_the_artifact_bucket_is_the_stacks_output() -> None:
    assert bootstrap.artifact_bucket(fake_aws.client("cloudformation", CloudFormation())) == "artifacts"


def test_an_account_without_the_stack_is_told_what_to_run() -> None:
    cloudformation = fake_aws.client("cloudformation", CloudFormation(bootstrapped=False))
    assert not bootstrap.exists(cloudformation)
    with pytest.raises(BootstrapMissing, match="scones bootstrap"):
        bootstrap.artifact_bucket(cloudformation)
