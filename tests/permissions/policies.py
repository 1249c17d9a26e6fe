"""The IAM policies of the two templates, as CloudFormation resolves them for a stack in an account and region."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestration import bootstrap
from orchestration.package import TEMPLATE
from tests.contracts.rendered import load

# The property that names a resource, and its ARN, without region and account.
ARNS = {
    "AWS::ECR::Repository": ("RepositoryName", "ecr", "repository/{}"),
    "AWS::Events::Rule": ("Name", "events", "rule/{}"),
    "AWS::IAM::Role": ("RoleName", "iam", "role/{}"),
    "AWS::Lambda::Function": ("FunctionName", "lambda", "function:{}"),
    "AWS::Logs::LogGroup": ("LogGroupName", "logs", "log-group:{}:*"),
    "AWS::S3::Bucket": ("BucketName", "s3", "{}"),
    "AWS::SNS::Topic": ("TopicName", "sns", "{}"),
    "AWS::SQS::Queue": ("QueueName", "sqs", "{}"),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", "states", "stateMachine:{}"),
}
REFERENCED_BY_ARN = frozenset({"AWS::StepFunctions::StateMachine", "AWS::SNS::Topic"})
Policy = Mapping[str, Any]


@dataclass(frozen=True)
class Where:
    """An account and region."""

    account: str
    region: str

    def arn(self, service: str, path: str) -> str:
        """Return an ARN; S3's and IAM's have no region, S3's no account either."""
        region = "" if service in {"iam", "s3"} else self.region
        account = "" if service == "s3" else self.account
        return f"arn:aws:{service}:{region}:{account}:{path}"


@dataclass(frozen=True)
class Stack:
    """A stack: ``values`` has the parameters without a default, ``conditions`` those that hold."""

    resources: Mapping[str, Any]
    parameters: Mapping[str, Any]
    name: str
    where: Where
    values: Mapping[str, str] = field(default_factory=dict)
    conditions: frozenset[str] = frozenset()

    def policies(self, role: str) -> list[dict[str, Any]]:
        """Return the policies of a role, its managed ones included, or one managed policy, each with its name."""
        return [{"name": name, "policy": self._resolved(document)} for name, document in self._documents(role)]

    def resource_policy(self, name: str) -> Any:
        """Return the policy that a resource is or has, a role's being that of who may assume it."""
        properties = self.resources[name]["Properties"]
        kinds = ("PolicyDocument", "RepositoryPolicyText", "AssumeRolePolicyDocument")
        return self._resolved(next(properties[kind] for kind in kinds if kind in properties))

    def principals(self) -> list[str]:
        """Return the roles, and the managed policies that are attached to none."""
        attached = {reference["Ref"] for each in self._of("AWS::IAM::Role")
                    for reference in each["Properties"].get("ManagedPolicyArns", [])}  # fmt: skip
        kinds = {name: each["Type"] for name, each in self.resources.items()}
        managed = [name for name, kind in kinds.items() if kind == "AWS::IAM::ManagedPolicy" and name not in attached]
        return [name for name, kind in kinds.items() if kind == "AWS::IAM::Role"] + managed

    def _of(self, kind: str) -> Iterator[Any]:
        yield from (each for each in self.resources.values() if each["Type"] == kind)

    def _documents(self, role: str) -> Iterator[tuple[str, Policy]]:
        properties = self.resources[role]["Properties"]
        if "PolicyDocument" in properties:
            yield role, properties["PolicyDocument"]
        for policy in properties.get("Policies", []):
            yield policy["PolicyName"], policy["PolicyDocument"]
        for reference in properties.get("ManagedPolicyArns", []):
            yield reference["Ref"], self.resources[reference["Ref"]]["Properties"]["PolicyDocument"]
        for policy in self._of("AWS::IAM::Policy"):
            if {"Ref": role} in policy["Properties"]["Roles"]:
                yield policy["Properties"]["PolicyName"], policy["Properties"]["PolicyDocument"]

    def _resolved(self, value: Any) -> Any:
        """Return a part of a policy with every intrinsic function resolved, None for AWS::NoValue."""
        if isinstance(value, list):
            return [resolved for each in value if (resolved := self._resolved(each)) is not None]
        if not isinstance(value, dict):
            return value
        if set(value) == {"If"}:
            condition, then, otherwise = value["If"]
            return self._resolved(then if condition in self.conditions else otherwise)
        if value == {"Ref": "AWS::NoValue"}:
            return None
        if set(value) <= {"GetAtt", "Ref", "Sub"}:
            ((function, argument),) = value.items()
            return self._substituted(argument if function == "Sub" else f"${{{argument}}}")
        return {key: resolved for key, each in value.items() if (resolved := self._resolved(each)) is not None}

    def _substituted(self, text: str) -> str:
        return re.sub(r"\$\{([\w.:]+)\}", lambda match: self._value(match[1]), text)

    def _value(self, name: str) -> str:
        pseudo = {
            "AWS::Partition": "aws", "AWS::Region": self.where.region, "AWS::AccountId": self.where.account,
            "AWS::StackName": self.name,
        }  # fmt: skip
        if name in pseudo or name in self.values:
            return (pseudo | dict(self.values))[name]
        if name in self.parameters:
            return str(self.parameters[name]["Default"])
        resource = self.resources[name.removesuffix(".Arn")]
        member, service, path = ARNS[resource["Type"]]
        generated = f"{self.name}-{name.removesuffix('.Arn')}-0123456789ab"
        physical = self._resolved(resource["Properties"].get(member, generated))
        is_arn = name.endswith(".Arn") or resource["Type"] in REFERENCED_BY_ARN
        return self.where.arn(service, path.format(physical)) if is_arn else physical


def stacks(where: Where, conditions: frozenset[str] = frozenset(), **values: str) -> tuple[Stack, Stack]:
    """Return the stack `scones` and the bootstrap stack, with these parameters and conditions that hold."""
    names = {TEMPLATE: "scones", bootstrap.TEMPLATE: bootstrap.STACK}
    parsed = {path: load(path.read_text("utf-8")) for path in names}
    return tuple(  # type: ignore[return-value]  # two
        Stack(parsed[path]["Resources"], parsed[path]["Parameters"], name, where, values, conditions)
        for path, name in names.items()
    )
