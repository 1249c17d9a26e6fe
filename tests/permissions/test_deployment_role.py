"""What CloudFormation may do, against AWS's schemas of the kinds of resources in the template.

A schema lists what the handlers that create, read, update and delete a resource call; cfn-lint ships the schemas.
"""

import json
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from tests.permissions.iam_requests import Request
from tests.permissions.policies import Where, stacks
from tests.permissions.reasons import not_listed
from tests.permissions.simulation import simulated

pytestmark = pytest.mark.moto
SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas"
WHERE = Where("123456789012", "eu-central-1")
STACK, BOOTSTRAP = stacks(WHERE)
ROLE, BOUNDARY = "DeploymentRole", "arn:aws:iam::123456789012:policy/boundary"
# What the schemas list and the role has not: each kind of resource has properties that the template does not use.
NOT_NEEDED = {
    "ec2:*": "the functions are in no VPC",
    "elasticfilesystem:*": "the functions mount no file system",
    "s3files:*": "as above",
    "firehose:*": "no log group delivers to a stream",
    "kms:*": "the keys are AWS's own",
    "s3tables:*": "no bucket has metadata tables",
    "s3:*Metadata*Table*": "as above",
    "iam:*Group*": "policies are attached to roles only",
    "iam:*User*": "as above",
    "lambda:*CodeSigning*": "container images are not signed",
    "lambda:GetLayerVersion": "container images have no layers",
    "lambda:PassCapacityProvider": "Lambda's own instances",
    "lambda:PublishVersion": "the functions have one version",
    "lambda:Put*": "recursion, scaling and runtime stay as Lambda sets them",
    "lambda:AssociateRuntimeAlias": "as above",
    "logs:*KmsKey": "the keys are AWS's own",
    "logs:CreateLogDelivery": "no log group delivers its logs elsewhere",
    "logs:*Policy": "no log group has policies of its own",
    "logs:DescribeResourcePolicies": "as above",
    "logs:Put*": "log groups have a retention period and no other settings",
    "s3:DeleteBucket?*": "settings of a bucket are changed and not removed",
    "s3:*Object*": "CloudFormation writes no objects",
    "s3:REST.PUT.OBJECT": "it is no action",
    "s3:Put*": "the bucket does not use these settings",
    "sns:PutDataProtectionPolicy": "the topic has no such policy",
    "sns:SetSubscriptionAttributes": "the subscription has no attributes",
}
# What the role has and the schemas do not list.
BESIDES = {
    "ecr:*": "Lambda reads a function's image with the permissions of who creates the function",
}


def documented() -> dict[str, set[str]]:
    """The actions of the handlers by the template's kinds of resources."""
    index: dict[str, str] = json.loads((SCHEMAS / "providers" / "us-east-1.json").read_text("utf-8"))
    actions = {}
    for kind in sorted({resource["Type"] for resource in STACK.resources.values()}):
        schema: dict[str, Any] = json.loads((SCHEMAS / "resources" / f"{index[kind]}.json").read_text("utf-8"))
        handlers = {name: handler for name, handler in schema["handlers"].items() if name != "list"}
        actions[kind] = {action for handler in handlers.values() for action in handler["permissions"]}
    return actions


def granted() -> set[str]:
    statements = [s for policy in BOOTSTRAP.policies(ROLE) for s in policy["policy"]["Statement"]]
    actions = [s["Action"] for s in statements if s["Effect"] == "Allow"]
    return {action for each in actions for action in (each if isinstance(each, list) else [each])}


def test_the_role_has_what_the_handlers_call_except_what_the_template_does_not_use() -> None:
    needed = {action for actions in documented().values() for action in actions}
    assert not_listed(needed - granted(), NOT_NEEDED) == ([], [])


def test_the_role_has_nothing_that_no_handler_calls() -> None:
    needed = {action for actions in documented().values() for action in actions}
    assert not_listed(granted() - needed, BESIDES) == ([], [])


def test_the_schemas_list_the_actions_of_every_kind_of_resource() -> None:
    assert all(documented().values())


def verdict(request: Request, *, boundary: bool = False) -> str:
    """What IAM says to a request of the role; with ``boundary`` the bootstrap stack requires one."""
    conditions = frozenset({"HasPermissionsBoundary"} if boundary else ())
    _, stack = stacks(WHERE, conditions=conditions, PermissionsBoundary=BOUNDARY)
    return simulated(stack, {ROLE: [request]})[ROLE].refused.get(request, "Allowed")


def role(name: str) -> str:
    return WHERE.arn("iam", f"role/{name}")


def test_a_required_boundary_is_required_of_every_role() -> None:
    created = Request("iam:CreateRole", role("prod-FilterRole-1"))
    bounded = Request(created.action, created.resource, (("iam:PermissionsBoundary", BOUNDARY),))
    removed = Request("iam:DeleteRolePermissionsBoundary", created.resource)
    assert [verdict(each) for each in (created, bounded, removed)] == ["Allowed"] * 3
    refused = "ImplicitlyDenied"
    assert [verdict(each, boundary=True) for each in (created, bounded, removed)] == [refused, "Allowed", refused]


@pytest.mark.parametrize("name", ["role/scones-bootstrap-CiRole-1", "policy/scones-bootstrap-OperatorPolicy-1"])
def test_it_cannot_change_its_own_stacks_permissions(name: str) -> None:
    action = "iam:PutRolePolicy" if name.startswith("role") else "iam:CreatePolicyVersion"
    assert verdict(Request(action, WHERE.arn("iam", name))) == "ExplicitlyDenied"


@pytest.mark.parametrize(("service", "expected"), [("lambda", "Allowed"), ("ec2", "ImplicitlyDenied")])
def test_it_passes_roles_to_the_services_of_the_template_only(service: str, expected: str) -> None:
    passed = (("iam:PassedToService", f"{service}.amazonaws.com"),)
    assert verdict(Request("iam:PassRole", role("prod-FilterRole-1"), passed)) == expected
