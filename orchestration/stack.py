"""Deploys the template through a CloudFormation change set, on AWS and on LocalStack alike."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError

from orchestration.definitions import template_body
from orchestration.errors import ParametersUnknown, StackBusy, StackFailed, StackMissing

# What LocalStack 4.14 does not do (EXPRESS children, dashboards) and what would only cost it time (logs).
LOCAL_PARAMETERS = {"BatchItemType": "STANDARD", "Dashboard": "DISABLED", "WorkflowLogLevel": "OFF"}
_CANCELLED = "cancelled"
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")

OnEvent = Callable[["StackEvent"], None]


@dataclass(frozen=True)
class StackEvent:
    """One line of CloudFormation's account of what it does to one resource."""

    resource: str
    resource_type: str
    status: str
    reason: str


@dataclass(frozen=True)
class Change:
    """What a change set is about to do to one resource: Add, Modify or Remove.

    ``replacement`` says whether a new one takes the place of a modified one: True, False or Conditional; None where
    that is no question.
    """

    action: str
    resource: str
    resource_type: str
    replacement: str | None = None


@dataclass(frozen=True)
class Deployment:
    """The stack's outputs after a deployment and the changes that led there (none: it was up to date)."""

    outputs: dict[str, str]
    changes: tuple[Change, ...]


def deploy(
    cloudformation: Any,
    name: str,
    parameters: Mapping[str, str],
    *,
    initial: Mapping[str, str] = MappingProxyType({}),
    body: str | None = None,
    on_changes: Callable[[tuple[Change, ...]], None] = lambda _: None,
    on_event: OnEvent = lambda _: None,
    poll: float = 1.0,
) -> Deployment:
    """Create or update the stack and wait until it is done.

    A parameter that is not among ``parameters`` keeps the value that the stack has; where it has none, ``initial``
    gives one, else the template. ``on_changes`` sees the change set before it is applied and may raise to stop there,
    which leaves nothing behind; ``poll`` is in seconds.
    Raises StackFailed with the first real reason, StackBusy when another deployment is under way, ParametersUnknown.
    """
    body = body or template_body()
    current = _current(cloudformation, name, on_event, poll)
    is_new = current is None
    chosen = _chosen(cloudformation, body, parameters, initial, _held(current))
    change_set = _create_change_set(cloudformation, name, chosen, body, is_new=is_new)
    changes = _wait_for_change_set(cloudformation, name, change_set, poll)
    if changes:
        with _dropped_unless_agreed(cloudformation, name, change_set, is_new=is_new):
            on_changes(changes)
        seen = _event_ids(cloudformation, name)
        cloudformation.execute_change_set(StackName=name, ChangeSetName=change_set)
        _follow(cloudformation, name, name, seen, on_event, poll)
    else:
        cloudformation.delete_change_set(StackName=name, ChangeSetName=change_set)
    return Deployment(outputs(cloudformation, name), changes)


def parameters_of(cloudformation: Any, name: str) -> dict[str, str]:
    """Return the values of a deployed stack's parameters by name; none where there is no stack."""
    return _held(_describe(cloudformation, name))


def outputs(cloudformation: Any, name: str) -> dict[str, str]:
    """Return the stack's outputs by name; raises StackMissing."""
    stack = _describe(cloudformation, name)
    if stack is None:
        raise StackMissing(name)
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def delete(cloudformation: Any, name: str, *, on_event: OnEvent = lambda _: None, poll: float = 1.0) -> bool:
    """Delete the stack and wait; False when there was none. Raises StackFailed when something could not be deleted."""
    stack = _describe(cloudformation, name)
    if stack is None:
        return False
    stack_id = stack["StackId"]  # a deleted stack is only found by its id
    seen = _event_ids(cloudformation, stack_id)
    cloudformation.delete_stack(StackName=stack_id)
    _follow(cloudformation, name, stack_id, seen, on_event, poll)
    return True


def _describe(cloudformation: Any, name: str) -> dict[str, Any] | None:
    try:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack


def _current(cloudformation: Any, name: str, on_event: OnEvent, poll: float) -> dict[str, Any] | None:
    """Return the stack that is to be updated; None where one is to be created. Raises StackBusy."""
    stack = _describe(cloudformation, name)
    status = stack["StackStatus"] if stack else "REVIEW_IN_PROGRESS"
    if status == "ROLLBACK_COMPLETE" and not _has_been_complete(cloudformation, name):
        # A first creation that failed: nothing but its shell is left.
        delete(cloudformation, name, on_event=on_event, poll=poll)
        return None
    if status == "REVIEW_IN_PROGRESS":  # a change set was made and never applied
        return None
    if status.endswith("_IN_PROGRESS"):
        raise StackBusy(name, status)
    return stack


def _has_been_complete(cloudformation: Any, name: str) -> bool:
    """Whether the stack has ever been whole. LocalStack calls a failed update ROLLBACK_COMPLETE as well."""
    whole = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    return any(
        event["ResourceType"] == "AWS::CloudFormation::Stack" and event.get("ResourceStatus") in whole
        for event in _events(cloudformation, name)
    )


def _held(stack: dict[str, Any] | None) -> dict[str, str]:
    return {one["ParameterKey"]: one["ParameterValue"] for one in (stack or {}).get("Parameters", [])}


def _chosen(
    cloudformation: Any, body: str, given: Mapping[str, str], initial: Mapping[str, str], held: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return every parameter whose value is not the template's own. Raises ParametersUnknown."""
    validated = cloudformation.validate_template(TemplateBody=body)
    known = {one["ParameterKey"] for one in validated.get("Parameters", [])}
    if unknown := sorted(set(given) - known):
        raise ParametersUnknown(unknown, sorted(known))
    named = {**{key: value for key, value in initial.items() if key not in held}, **given}
    chosen: list[dict[str, Any]] = [{"ParameterKey": key, "ParameterValue": value} for key, value in named.items()]
    kept = sorted((set(held) & known) - set(named))
    return chosen + [{"ParameterKey": key, "UsePreviousValue": True} for key in kept]


def _create_change_set(
    cloudformation: Any, name: str, parameters: list[dict[str, Any]], body: str, *, is_new: bool
) -> str:
    answer = cloudformation.create_change_set(
        StackName=name,
        ChangeSetName=f"scones-{time.time_ns()}",
        ChangeSetType="CREATE" if is_new else "UPDATE",
        TemplateBody=body,
        Parameters=parameters,
        Capabilities=["CAPABILITY_IAM"],
    )
    change_set: str = answer["Id"]
    return change_set


@contextmanager
def _dropped_unless_agreed(cloudformation: Any, name: str, change_set: str, *, is_new: bool) -> Iterator[None]:
    """Delete the change set, and the empty shell that it made of a new stack, where it is not to be applied."""
    try:
        yield
    except BaseException:
        cloudformation.delete_change_set(StackName=name, ChangeSetName=change_set)
        if is_new:
            cloudformation.delete_stack(StackName=name)
        raise


def _wait_for_change_set(cloudformation: Any, name: str, change_set: str, poll: float) -> tuple[Change, ...]:
    while True:
        answer = cloudformation.describe_change_set(StackName=name, ChangeSetName=change_set)
        status, reason = answer["Status"], answer.get("StatusReason", "")
        if status == "CREATE_COMPLETE":
            resources = [change["ResourceChange"] for change in answer["Changes"]]
            return tuple(
                Change(r["Action"], r["LogicalResourceId"], r["ResourceType"], r.get("Replacement")) for r in resources
            )
        if status == "FAILED" and any(sign in reason for sign in _NO_CHANGES):
            return ()
        if status == "FAILED":
            raise StackFailed(name, "change set FAILED", reason)
        time.sleep(poll)


def _events(cloudformation: Any, name: str) -> Iterator[dict[str, Any]]:
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=name):
        yield from page["StackEvents"]


def _event_ids(cloudformation: Any, name: str) -> set[str]:
    return {event["EventId"] for event in _events(cloudformation, name)}


def _follow(cloudformation: Any, name: str, found_by: str, seen: set[str], on_event: OnEvent, poll: float) -> None:
    """Report new events, oldest first, until the stack rests; raise StackFailed where it rests in the wrong place."""
    first_reason = ""
    while True:
        stack = cloudformation.describe_stacks(StackName=found_by)["Stacks"][0]
        fresh = [event for event in _events(cloudformation, found_by) if event["EventId"] not in seen]
        for raw in reversed(fresh):
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
        raise StackFailed(name, status, first_reason or stack.get("StackStatusReason", "no reason given"))
