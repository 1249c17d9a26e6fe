"""What a call needs of IAM: actions, each with its resource and the keys that conditions read.

https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.moto.proxy import Call
from tests.permissions.policies import Where

# Services whose actions have another prefix than botocore's name.
PREFIXES = {"sagemaker-runtime": "sagemaker", "service-quotas": "servicequotas", "stepfunctions": "states"}
# Operations whose actions have another name.
ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:DeleteObject": "s3:DeleteObjectVersion",  # it is called with versions only, as DeleteObjects is
    "s3:DeleteObjects": "s3:DeleteObjectVersion",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:PutBucketNotificationConfiguration": "s3:PutBucketNotification",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
}
OBJECT_ACTIONS = frozenset({"s3:AbortMultipartUpload", "s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject"})
# The members that name a call's resource, the first that it has; and the resource's ARN, without region and account.
_ENDPOINT, _MACHINE = {"EndpointName": "endpoint/{}"}, {"stateMachineArn": "{}", "name": "stateMachine:{}"}
RESOURCES: Mapping[str, Mapping[str, str]] = {
    "application-autoscaling": {"ServiceNamespace": "scalable-target/{}"},
    "cloudformation": {"StackName": "stack/{}/id"},
    "cloudwatch": {"AlarmName": "alarm:{}", "AlarmNames": "alarm:{}"},
    "ecr": {"repositoryName": "repository/{}", "repositoryNames": "repository/{}"},
    "events": {"Rule": "rule/{}", "Name": "rule/{}"},
    "iam": {"RoleName": "role/{}", "PolicyName": "policy/{}", "PolicyArn": "{}"},
    "lambda": {"FunctionName": "function:{}"},
    "logs": {"logGroupName": "log-group:{}", "logGroupNamePrefix": "log-group:{}"},
    "sagemaker": {
        **_ENDPOINT, "EndpointConfigName": "endpoint-config/{}", "ModelName": "model/{}",
        "TrainingJobName": "training-job/{}",
    },
    "sagemaker-runtime": _ENDPOINT,
    "scheduler": {"Name": "schedule/default/{}"},
    "sns": {"TopicArn": "{}", "Name": "{}"},
    "sqs": {"QueueUrl": "{}", "QueueName": "{}"},
    "stepfunctions": {**_MACHINE, "executionArn": "{}", "mapRunArn": "{}"},
}  # fmt: skip
# Actions without resource-level permissions, of services that have them for others.
WITHOUT_RESOURCE = frozenset(
    {
        "cloudwatch:GetMetricStatistics", "cloudwatch:PutMetricData", "ecr:GetAuthorizationToken",
        "cloudformation:DescribeStackDriftDetectionStatus", "cloudformation:ValidateTemplate", "logs:DescribeLogGroups",
        "sagemaker:ListEndpointConfigs", "sagemaker:ListEndpoints", "sagemaker:ListModels",
    }
)  # fmt: skip
# Calls that need no permission: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
# A service assumes a role by the role's own trust policy.
FREE = frozenset({"sts:AssumeRole", "sts:GetCallerIdentity"})


@dataclass(frozen=True)
class Request:
    """What IAM is asked."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()

    @property
    def json(self) -> dict[str, Any]:
        """The request for the simulator."""
        return {"action": self.action, "resource": self.resource, "context": dict(self.context)}


def action(call: Call) -> str:
    """Return the action of a call."""
    return ACTIONS.get(call.name, f"{PREFIXES.get(call.service, call.service)}:{call.operation}")


def requests(call: Call, where: Where) -> set[Request]:
    """Return what a call needs, the roles that it passes included."""
    if call.name in FREE:
        return set()
    own = Request(action(call), resource(call, where), tuple(_context(call)))
    return {own, *_further(call, where), *_passed(call)}


def _context(call: Call) -> Iterator[tuple[str, str]]:
    if call.name == "cloudwatch:PutMetricData":
        yield "cloudwatch:namespace", str(call.members["Namespace"])
    if call.service == "application-autoscaling":
        yield "application-autoscaling:service-namespace", str(call.members["ServiceNamespace"])


def _further(call: Call, where: Where) -> Iterator[Request]:
    """Yield what a call needs besides the action of its own name."""
    members = call.members
    if call.name in {"sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"}:
        yield Request(action(call), where.arn("sagemaker", f"endpoint-config/{members['EndpointConfigName'].lower()}"))
    if members.get("Tags") and call.service == "sagemaker":
        yield Request("sagemaker:AddTags", resource(call, where))
    if members.get("Tags") and call.name == "cloudformation:CreateChangeSet":
        yield Request("cloudformation:TagResource", resource(call, where))
    if call.name == "application-autoscaling:RegisterScalableTarget":
        service = "sagemaker.application-autoscaling.amazonaws.com"
        linked = f"role/aws-service-role/{service}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
        yield Request("iam:CreateServiceLinkedRole", where.arn("iam", linked), (("iam:AWSServiceName", service),))


def _passed(call: Call) -> Iterator[Request]:
    """Yield the passing of every role in a call to the service that will assume it; IAM and STS are passed none."""
    words = json.dumps(dict(call.members), default=str).split('"')
    roles = {word for word in words if word.startswith("arn:aws:iam:") and ":role/" in word}
    service = f"{PREFIXES.get(call.service, call.service)}.amazonaws.com"
    if call.service not in {"iam", "sts"}:
        yield from (Request("iam:PassRole", role, (("iam:PassedToService", service),)) for role in roles)


def resource(call: Call, where: Where) -> str:
    """Return the ARN of the resource that a call is about, ``*`` if it is about none."""
    members = call.members
    if call.service == "s3" and "Bucket" in members:
        key = f"/{members.get('Key', 'key')}" if action(call) in OBJECT_ACTIONS else ""
        return where.arn("s3", members["Bucket"] + key)
    named = RESOURCES.get(call.service, {})
    member = next((name for name in named if members.get(name)), None)
    if member is None or action(call) in WITHOUT_RESOURCE:
        return "*"
    value = members[member][0] if isinstance(members[member], list) else str(members[member])
    if value.startswith("arn:"):
        return str(value)
    value = value.rpartition("/")[2] if call.service == "sqs" else value
    # SageMaker's names in ARNs are lower case; whatever is about a log group has a stream in its ARN, if need be none.
    value = value.lower() if call.service.startswith("sagemaker") else value
    stream = f":log-stream:{members.get('logStreamName', '')}" if call.service == "logs" else ""
    return where.arn(PREFIXES.get(call.service, call.service), named[member].format(value) + stream)
