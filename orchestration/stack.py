"""Deploys a template through a CloudFormation change set, on AWS and on LocalStack alike."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from orchestration.errors import ParametersUnknown, StackBusy, StackFailed
from orchestration.stack_outputs import describe_stack, output_values

# What LocalStack 4.14 lacks (EXPRESS child executions, dashboards), and log delivery, which only costs it time.
LOCAL_PARAMETERS = {"BatchItemType": "STANDARD", "Dashboard": "DISABLED", "WorkflowLogLevel": "OFF"}
_CANCELLED = "cancelled"
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")

OnEvent = Callable[["StackEvent"], None]
OnChanges = Callable[[tuple["Change", ...]], None]
Template = Mapping[str, str]
"""``{"TemplateURL": url}`` or ``{"TemplateBody": text}``, as CloudFormation's operations take it."""


@dataclass(frozen=True)
class StackEvent:
    """A stack event: what CloudFormation has done to one resource."""

    resource: str
    resource_type: str
    status: str
    reason: str


@dataclass(frozen=True)
class Change:
    """What a change set is about to do to one resource: Add, Modify or Remove.

    ``replacement`` is CloudFormation's own True, False or Conditional; None for a resource that is not modified.
    """

    action: str
    resource: str
    resource_type: str
    replacement: str | None = None


@dataclass(frozen=True)
class Deployment:
    """The stack's outputs after a deployment, and the changes that it made, or none if the stack was up to date."""

    outputs: dict[str, str]
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class DeploymentOptions:
    """What an organisation prescribes: CloudFormation's role, tags of every resource, and termination protection.

    None or no tags leave what the stack has.
    """

    role_arn: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    termination_protection: bool | None = None

    def change_set_members(self) -> dict[str, Any]:
        """Return these options as members of CreateChangeSet."""
        tags = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        return ({"RoleARN": self.role_arn} if self.role_arn else {}) | ({"Tags": tags} if tags else {})


DEFAULT_OPTIONS = DeploymentOptions()


def deploy(  # noqa: PLR0913 - all but four have a default
    cloudformation: Any,
    name: str,
    template: Template,
    parameters: Mapping[str, str],
    *,
    initial: Mapping[str, str] = MappingProxyType({}),
    options: DeploymentOptions = DEFAULT_OPTIONS,
    on_changes: OnChanges = lambda _: None,
    on_event: OnEvent = lambda _: None,
    poll: float = 1.0,
) -> Deployment:
    """Create or update the stack and wait until it is done.

    A parameter that is not in ``parameters`` keeps the value that the stack has; where the stack has none, the value in
    ``initial`` is used, else the template's default. ``on_changes`` receives the change set before it is applied; where
    it raises, the change set is deleted. ``poll`` is in seconds.
    Raises StackFailed with the first reason, StackBusy while another deployment is in progress, ParametersUnknown.
    """
    current = _current(cloudformation, name, on_event, poll)
    is_new = current is None
    request = _parameters(cloudformation, template, parameters, initial, _parameter_values(current))
    change_set = _create_change_set(cloudformation, name, template, request, options, is_new=is_new)
    changes = _wait_for_change_set(cloudformation, name, change_set, poll)
    if changes:
        with _deleted_on_error(cloudformation, name, change_set, is_new=is_new):
            on_changes(changes)
        seen = _event_ids(cloudformation, name)
        cloudformation.execute_change_set(StackName=name, ChangeSetName=change_set)
        _follow(cloudformation, name, name, seen, on_event, poll)
    else:
        cloudformation.delete_change_set(StackName=name, ChangeSetName=change_set)
    if options.termination_protection is not None:
        cloudformation.update_termination_protection(
            StackName=name, EnableTerminationProtection=options.termination_protection
        )
    return Deployment(output_values(cloudformation, name), changes)


def parameters_of(cloudformation: Any, name: str) -> dict[str, str]:
    """Return the values of a deployed stack's parameters by name, empty if there is no stack."""
    return _parameter_values(describe_stack(cloudformation, name))


def status(cloudformation: Any, name: str) -> str | None:
    """Return the stack's status, such as UPDATE_COMPLETE, or None if there is no stack."""
    return (describe_stack(cloudformation, name) or {}).get("StackStatus")


def is_protected(cloudformation: Any, name: str) -> bool:
    """Tell whether termination protection keeps the stack from being deleted."""
    return bool((describe_stack(cloudformation, name) or {}).get("EnableTerminationProtection"))


def delete(cloudformation: Any, name: str, *, on_event: OnEvent = lambda _: None, poll: float = 1.0) -> bool:
    """Delete the stack and wait; return False if it does not exist. Raises StackFailed."""
    stack = describe_stack(cloudformation, name)
    if stack is None:
        return False
    stack_id = stack["StackId"]  # a deleted stack can be described by its ID only
    seen = _event_ids(cloudformation, stack_id)
    cloudformation.delete_stack(StackName=stack_id)
    _follow(cloudformation, name, stack_id, seen, on_event, poll)
    return True


def _current(cloudformation: Any, name: str, on_event: OnEvent, poll: float) -> dict[str, Any] | None:
    """Return the stack to update, or None if one is to be created. Raises StackBusy."""
    stack = describe_stack(cloudformation, name)
    status = stack["StackStatus"] if stack else "REVIEW_IN_PROGRESS"
    if status == "ROLLBACK_COMPLETE" and not _has_been_complete(cloudformation, name):
        # A first creation that failed leaves a stack without resources, which cannot be updated.
        delete(cloudformation, name, on_event=on_event, poll=poll)
        return None
    if status == "REVIEW_IN_PROGRESS":  # a change set was created and never executed
        return None
    if status.endswith("_IN_PROGRESS"):
        raise StackBusy(name, status)
    return stack


def _has_been_complete(cloudformation: Any, name: str) -> bool:
    """Tell whether the stack has ever been complete. LocalStack also sets ROLLBACK_COMPLETE after a failed update."""
    complete = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    return any(
        event["ResourceType"] == "AWS::CloudFormation::Stack" and event.get("ResourceStatus") in complete
        for event in _events(cloudformation, name)
    )


def _parameter_values(stack: dict[str, Any] | None) -> dict[str, str]:
    return {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in (stack or {}).get("Parameters", [])}


def _parameters(
    cloudformation: Any,
    template: Template,
    parameters: Mapping[str, str],
    initial: Mapping[str, str],
    current: Mapping[str, str],
) -> list[dict[str, Any]]:
    """Return the change set's parameters: all whose value is not the template's default. Raises ParametersUnknown."""
    validated = cloudformation.validate_template(**template)
    known = {parameter["ParameterKey"] for parameter in validated.get("Parameters", [])}
    if unknown := sorted(set(parameters) - known):
        raise ParametersUnknown(unknown, sorted(known))
    values = {**{key: value for key, value in initial.items() if key not in current}, **parameters}
    unchanged = sorted((set(current) & known) - set(values))
    return [
        *({"ParameterKey": key, "ParameterValue": value} for key, value in values.items()),
        *({"ParameterKey": key, "UsePreviousValue": True} for key in unchanged),
    ]


def _create_change_set(
    cloudformation: Any,
    name: str,
    template: Template,
    parameters: list[dict[str, Any]],
    options: DeploymentOptions,
    *,
    is_new: bool,
) -> str:
    response = cloudformation.create_change_set(
        StackName=name,
        ChangeSetName=f"scones-{time.time_ns()}",
        ChangeSetType="CREATE" if is_new else "UPDATE",
        Parameters=parameters,
        Capabilities=["CAPABILITY_IAM"],
        **template,
        **options.change_set_members(),
    )
    return str(response["Id"])


@contextmanager
def _deleted_on_error(cloudformation: Any, name: str, change_set: str, *, is_new: bool) -> Iterator[None]:
    """Delete the change set on an error, and with it the empty stack that it created."""
    try:
        yield
    except BaseException:
        cloudformation.delete_change_set(StackName=name, ChangeSetName=change_set)
        if is_new:
            cloudformation.delete_stack(StackName=name)
        raise


def _wait_for_change_set(cloudformation: Any, name: str, change_set: str, poll: float) -> tuple[Change, ...]:
    while True:
        response = cloudformation.describe_change_set(StackName=name, ChangeSetName=change_set)
        status, reason = response["Status"], response.get("StatusReason", "")
        if status == "CREATE_COMPLETE":
            pages = cloudformation.get_paginator("describe_change_set").paginate(
                StackName=name, ChangeSetName=change_set
            )
            resources = [change["ResourceChange"] for page in pages for change in page["Changes"]]
            return tuple(
                Change(r["Action"], r["LogicalResourceId"], r["ResourceType"], r.get("Replacement")) for r in resources
            )
        if status == "FAILED" and any(text in reason for text in _NO_CHANGES):
            return ()
        if status == "FAILED":
            raise StackFailed(name, status, reason, "the change set of stack")
        time.sleep(poll)


def _events(cloudformation: Any, name: str) -> Iterator[dict[str, Any]]:
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=name):
        yield from page["StackEvents"]


def _event_ids(cloudformation: Any, name: str) -> set[str]:
    return {event["EventId"] for event in _events(cloudformation, name)}


def _follow(cloudformation: Any, name: str, stack_id: str, seen: set[str], on_event: OnEvent, poll: float) -> None:
    """Report new events, oldest first, until no operation is in progress. Raises StackFailed if it has failed."""
    first_reason = ""
    while True:
        stack = cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]
        new = [event for event in _events(cloudformation, stack_id) if event["EventId"] not in seen]
        for raw in reversed(new):
            seen.add(raw["EventId"])
            event = StackEvent(
                raw["LogicalResourceId"],
                raw["ResourceType"],
                raw.get("ResourceStatus", ""),
                raw.get("ResourceStatusReason", ""),
            )
            on_event(event)
            if event.status.endswith("_FAILED") and _CANCELLED not in event.reason.lower():
                first_reason = first_reason or f"{event.resource} ({event.resource_type}): {event.reason}"
        status = stack["StackStatus"]
        if not status.endswith("_IN_PROGRESS"):
            break
        time.sleep(poll)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"):
        raise StackFailed(name, status, first_reason or stack.get("StackStatusReason", "no reason reported"))
