"""CloudFormation's change sets, made of moto's CreateStack and UpdateStack.

moto's own change sets overlook parameters and leave a stack without outputs. Here, too, a failed update is rolled back,
which moto leaves half done.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

from core.s3_uris import S3Uri
from tests.contracts.rendered import load
from tests.fake_aws import error
from tests.moto.proxy import Stub


@dataclass
class Revision:
    """A template with its parameters, as deployed or as a change set is about to."""

    template: str = "Resources: {}"
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        resources: dict[str, dict[str, Any]] = load(self.template)["Resources"]
        return resources


@dataclass
class ChangeSet:
    """What CreateChangeSet was called with."""

    stack: str
    revision: Revision
    changes: list[dict[str, Any]]
    members: dict[str, Any]


class ChangeSets:
    """The state of every stack's change sets."""

    def __init__(self, moto: boto3.Session, moto_url: str) -> None:
        self._cloudformation = moto.client("cloudformation", endpoint_url=moto_url)
        self._s3 = moto.client("s3", endpoint_url=moto_url)
        self._iam = moto.client("iam", endpoint_url=moto_url)
        self._ecr = moto.client("ecr", endpoint_url=moto_url)
        self._deployed: dict[str, Revision] = {}
        self._change_sets: dict[str, ChangeSet] = {}
        self._failed: dict[str, tuple[str, str]] = {}

    def stubs(self) -> dict[str, Stub]:
        """Return the stubs by the operations that they answer."""
        own = (
            self.validate_template, self.create_change_set, self.describe_change_set, self.execute_change_set,
            self.delete_change_set, self.describe_stacks, self.describe_stack_events, self.delete_stack,
            self.get_template,
        )  # fmt: skip
        return {f"cloudformation:{stub.__name__.title().replace('_', '')}": stub for stub in own}

    def validate_template(self, **members: str) -> dict[str, Any]:
        """Return the parameters; moto lints the template instead, which takes half a minute, and returns none."""
        parameters = load(self._text(members)).get("Parameters", {})
        return {"Parameters": [{"ParameterKey": name} for name in parameters]}

    def create_change_set(self, StackName: str, **members: Any) -> dict[str, str]:  # noqa: N803
        """Compare a template and its parameters with what is deployed."""
        name = StackName
        before = self._deployed.get(name, Revision())
        template = before.template if members.get("UsePreviousTemplate") else self._text(members)
        parameters = {
            each["ParameterKey"]: before.parameters[each["ParameterKey"]]
            if each.get("UsePreviousValue")
            else each["ParameterValue"]
            for each in members.get("Parameters", [])
        }
        declared = load(template).get("Parameters", {}).items()
        defaults = {key: str(each["Default"]) for key, each in declared if "Default" in each}
        after = Revision(template, defaults | parameters)
        identifier = f"arn:aws:cloudformation:region:123456789012:changeSet/{members['ChangeSetName']}/1"
        self._change_sets[identifier] = ChangeSet(name, after, _changes(before, after), members)
        return {"Id": identifier, "StackId": name}

    def describe_change_set(self, ChangeSetName: str, **_: str) -> dict[str, Any]:  # noqa: N803
        """Return the changes of resources."""
        changes = self._change_sets[ChangeSetName].changes
        if not changes:
            return {"Status": "FAILED", "StatusReason": "The submitted information didn't contain changes."}
        return {"Status": "CREATE_COMPLETE", "Changes": [{"ResourceChange": change} for change in changes]}

    def execute_change_set(self, ChangeSetName: str, **_: str) -> None:  # noqa: N803
        """Create or update the stack; a failure is rolled back."""
        change_set = self._change_sets.pop(ChangeSetName)
        name, after, before = change_set.stack, change_set.revision, self._deployed.get(change_set.stack)
        shared = {key: change_set.members[key] for key in ("Tags", "RoleARN") if key in change_set.members}
        apply = self._cloudformation.update_stack if before else self._cloudformation.create_stack
        self._failed.pop(name, None)
        try:
            self._find_images(after)
            apply(StackName=name, **self._request(after), **shared)
        except ClientError as failure:
            if before is None:
                raise
            self._failed[name] = ("UPDATE_ROLLBACK_COMPLETE", failure.response["Error"]["Message"])
        else:
            self._deployed[name] = after

    def delete_change_set(self, ChangeSetName: str, **_: str) -> None:  # noqa: N803
        """Forget a change set."""
        self._change_sets.pop(ChangeSetName)

    def describe_stacks(self, **members: str) -> dict[str, Any]:
        """Return the stack with the parameters as they were sent, and the status that a failure has left."""
        response = self._cloudformation.describe_stacks(**members)
        for stack in response["Stacks"]:
            revision = self._deployed.get(stack["StackName"], Revision())
            named = revision.parameters.items()
            stack["Parameters"] = [{"ParameterKey": key, "ParameterValue": value} for key, value in named]
            if stack["StackName"] in self._failed:
                stack["StackStatus"] = self._failed[stack["StackName"]][0]
        return {"Stacks": response["Stacks"]}

    def describe_stack_events(self, StackName: str, **members: str) -> dict[str, Any]:  # noqa: N803
        """Return the events, none of a stack that has only a change set."""
        if any(change_set.stack == StackName for change_set in self._change_sets.values()) and not self._deployed.get(
            StackName
        ):
            return {"StackEvents": []}
        events = self._cloudformation.describe_stack_events(StackName=StackName, **members)["StackEvents"]
        if StackName in self._failed:
            status = {"ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": self._failed[StackName][1]}
            resource = {"LogicalResourceId": "FilterFunction", "ResourceType": "AWS::Lambda::Function"}
            named = {"StackId": StackName, "StackName": StackName, "EventId": f"failed-{id(self._failed[StackName])}"}
            events = [{**named, **resource, **status, "Timestamp": datetime.now(UTC)}, *events]
        return {"StackEvents": events}

    def delete_stack(self, StackName: str, **_: str) -> None:  # noqa: N803
        """Delete a stack with what moto leaves of one: the images of its repositories, and its managed policies."""
        name = StackName.split("/")[1] if "/" in StackName else StackName
        for resource in self._deployed.pop(name, Revision()).resources.values():
            if resource.get("Properties", {}).get("EmptyOnDelete"):
                self._delete_images(resource["Properties"]["RepositoryName"])
        resources = self._cloudformation.list_stack_resources(StackName=StackName)["StackResourceSummaries"]
        self._cloudformation.delete_stack(StackName=StackName)
        for resource in resources:
            if resource["ResourceType"] == "AWS::IAM::ManagedPolicy":
                self._iam.delete_policy(PolicyArn=resource["PhysicalResourceId"])

    def get_template(self, StackName: str, **_: str) -> dict[str, Any]:  # noqa: N803
        """Return the template as it was sent."""
        if StackName not in self._deployed:
            raise error("ValidationError", f"Stack with id {StackName} does not exist")
        return {"TemplateBody": self._deployed[StackName].template}

    def _find_images(self, revision: Revision) -> None:
        """Refuse an image that ECR lacks, as Lambda does; moto's Lambda looks for no repository with a slash."""
        for uri in revision.parameters.values():
            if "@sha256:" in uri:
                name, _, digest = uri.partition("/")[2].partition("@")
                self._ecr.describe_images(repositoryName=name, imageIds=[{"imageDigest": digest}])

    def _delete_images(self, repository: str) -> None:
        if images := self._ecr.list_images(repositoryName=repository)["imageIds"]:
            self._ecr.batch_delete_image(repositoryName=repository, imageIds=images)

    def _text(self, members: Mapping[str, str]) -> str:
        if "TemplateBody" in members:
            return members["TemplateBody"]
        bucket, key = members["TemplateURL"].split("/", 4)[3:]
        return self._object(S3Uri(bucket, key))

    def _object(self, uri: S3Uri) -> str:
        return str(self._s3.get_object(Bucket=uri.bucket, Key=uri.key)["Body"].read().decode())

    def _request(self, revision: Revision) -> dict[str, Any]:
        """Return the request, with the definitions in the template: moto reads none from S3."""

        def inline(match: re.Match[str]) -> str:
            definition = json.loads(self._object(S3Uri(match["bucket"], match["key"])))
            return f"DefinitionString: {json.dumps(json.dumps(definition))}"

        pattern = r"DefinitionS3Location: \{Bucket: (?P<bucket>[^,]+), Key: (?P<key>[^}]+)\}"
        named = [{"ParameterKey": key, "ParameterValue": value} for key, value in revision.parameters.items()]
        body = re.sub(pattern, inline, revision.template)
        return {"TemplateBody": body, "Parameters": named, "Capabilities": ["CAPABILITY_IAM"]}


def _changes(before: Revision, after: Revision) -> list[dict[str, Any]]:
    """Return the changes of resources: of the template's own, and of those that name a changed parameter."""
    old, new = before.resources, after.resources
    changed = [
        name
        for name in {**before.parameters, **after.parameters}
        if before.parameters.get(name) != after.parameters.get(name)
    ]

    def is_modified(name: str) -> bool:
        text = json.dumps(new[name])
        return new[name] != old[name] or any(re.search(rf'"!?Ref": "{key}"|\$\{{{key}\}}', text) for key in changed)

    actions = [("Add", name) for name in new if name not in old]
    actions += [("Modify", name) for name in new if name in old and is_modified(name)]
    actions += [("Remove", name) for name in old if name not in new]
    return [
        {"Action": action, "LogicalResourceId": name, "ResourceType": {**old, **new}[name]["Type"]}
        for action, name in actions
    ]
