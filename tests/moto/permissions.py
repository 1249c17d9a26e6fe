"""What a call needs of IAM: actions, each with its resource.

https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

import fnmatch
import json
from collections.abc import Iterator
from typing import Any

from orchestration import bootstrap
from tests.contracts.rendered import load
from tests.moto.accounts import ACCOUNT, REGION
from tests.moto.proxy import Call

# Services whose actions have another prefix than botocore's name.
PREFIXES = {"sagemaker-runtime": "sagemaker", "service-quotas": "servicequotas", "stepfunctions": "states"}
# Operations whose actions have another name.
ACTIONS = {
    "s3:AbortMultipartUpload": "s3:AbortMultipartUpload",
    "s3:DeleteObjects": "s3:DeleteObjectVersion",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjectsV2": "s3:ListBucket",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
}
# The member that names a call's resource, and the resource's ARN without the account.
RESOURCES = {
    "application-autoscaling": ("ServiceNamespace", "scalable-target/{}"),
    "cloudformation": ("StackName", "stack/{}/id"),
    "ecr": ("repositoryName", "repository/{}"),
    "logs": ("logGroupName", "log-group:{}"),
    "scheduler": ("Name", "schedule/default/{}"),
}
OBJECT_ACTIONS = frozenset({"s3:AbortMultipartUpload", "s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject"})
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html; Docker's engine makes these calls.
PUSH = frozenset(
    f"ecr:{name}"
    for name in (
        "BatchCheckLayerAvailability", "BatchGetImage", "CompleteLayerUpload", "GetDownloadUrlForLayer",
        "InitiateLayerUpload", "PutImage", "UploadLayerPart",
    )
)  # fmt: skip
# Calls that need none: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
FREE = frozenset({"sts:GetCallerIdentity"})


def action(call: Call) -> str:
    """Return the action of a call."""
    return ACTIONS.get(call.name, f"{PREFIXES.get(call.service, call.service)}:{call.operation}")


def needed(call: Call) -> set[tuple[str, str]]:
    """Return the actions of a call, each with its resource, including the roles that it passes."""
    pairs = {(action(call), resource(call))} if call.name not in FREE else set()
    text = json.dumps(dict(call.members), default=str)
    for role in set(role_arns(text)):
        pairs.add(("iam:PassRole", role))
    if call.service == "sagemaker" and "Tags" in call.members:
        pairs.add(("sagemaker:AddTags", resource(call)))
    if call.name == "cloudformation:CreateChangeSet" and "Tags" in call.members:
        pairs.add(("cloudformation:TagResource", resource(call)))
    if call.name == "application-autoscaling:RegisterScalableTarget":
        linked = "aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AWSServiceRoleForScaling"
        pairs.add(("iam:CreateServiceLinkedRole", f"arn:aws:iam::{ACCOUNT}:role/{linked}"))
    return pairs


def role_arns(text: str) -> Iterator[str]:
    """Yield the ARNs of roles in a request."""
    for word in text.split('"'):
        if word.startswith("arn:aws:iam:") and ":role/" in word:
            yield word


def resource(call: Call) -> str:
    """Return the ARN of the resource that a call is about."""
    members = call.members
    if call.service == "s3":
        bucket = f"arn:aws:s3:::{members['Bucket']}"
        return f"{bucket}/{members.get('Key', 'key')}" if action(call) in OBJECT_ACTIONS else bucket
    if call.service == "sqs":
        return _arn("sqs", str(members["QueueUrl"]).rpartition("/")[2])
    if call.service in {"stepfunctions", "sns"}:
        return next(str(value) for name, value in members.items() if name.lower().endswith("arn"))
    if call.service.startswith("sagemaker"):
        return _arn("sagemaker", f"{call.operation}/{next(iter(members.values()), 'all')}")
    member, path = RESOURCES.get(call.service, ("", ""))
    names = members.get("repositoryNames") or [members.get(member)]
    if not path or names == [None]:
        return "*"
    name = str(names[0])
    return name if name.startswith("arn:") else _arn(call.service, path.format(name))


def _arn(service: str, path: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{path}"


def statements(resource_name: str) -> list[dict[str, Any]]:
    """Return a policy's statements of the bootstrap stack, as CloudFormation would resolve them."""
    properties = load(bootstrap.TEMPLATE.read_text("utf-8"))["Resources"][resource_name]["Properties"]
    documents = [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
    documents += [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    return [_resolved(statement) for document in documents for statement in document["Statement"]]


def _resolved(statement: dict[str, Any]) -> dict[str, Any]:
    actions, resources = (_listed(statement[key]) for key in ("Action", "Resource"))
    return {"Effect": statement["Effect"], "Action": actions, "Resource": [_text(each) for each in resources]}


def _text(value: Any) -> str:
    if isinstance(value, dict):
        ((function, argument),) = value.items()
        value = f"${{{argument}}}" if function == "GetAtt" else argument
    names = {
        "AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT,
        "ArtifactBucket.Arn": f"arn:aws:s3:::scones-artifacts-{ACCOUNT}-{REGION}",
        "DeploymentRole.Arn": f"arn:aws:iam::{ACCOUNT}:role/scones-bootstrap-DeploymentRole-1",
        **{f"{name}Repository.Arn": _arn("ecr", f"repository/scones/{name.lower()}")
           for name in ("Serialize", "Classify", "Filter", "Inference")},
    }  # fmt: skip
    text = str(value)
    for name, text_of_name in names.items():
        text = text.replace(f"${{{name}}}", text_of_name)
    return text


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def allowing(policy: list[dict[str, Any]], wanted: tuple[str, str]) -> set[str]:
    """Return the actions of a policy that allow an action on a resource, empty if it is denied."""
    return {
        granted
        for statement in policy
        for granted in statement["Action"]
        if fnmatch.fnmatchcase(wanted[0], granted)
        and any(fnmatch.fnmatchcase(wanted[1], pattern) for pattern in statement["Resource"])
    }
