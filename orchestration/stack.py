"""Deploys the template through a CloudFormation change set, on AWS and on LocalStack alike."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from orchestration.definitions import template_body
from orchestration.errors import StackBusy, StackFailed, StackMissing

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
    """What a change set is about to do to one resource: Add, Modify or Remove."""

    action: str
    resource: str
    resource_type: str


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
    body: str | None = None,
    on_changes: Callable[[tuple[Change, ...]], None] = lambda _: None,
    on_event: OnEvent = lambda _: None,
    poll: float = 1.0,
) -> Deployment:
    """Create or update the stack and wait until it is done.

    ``on_changes`` sees the change set before it is applied and may raise to stop there, which leaves nothing behind;
    ``poll`` is in seconds.
    Raises StackFailed with the first real reason, StackBusy when another deployment is under way.
    """
    status = _status(cloudformation, name)
    if status == "ROLLBACK_COMPLETE":  # a first creation that failed: nothing but its shell is left
        delete(cloudformation, name, on_event=on_event, poll=poll)
        status = None
    if status is not None and status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        raise StackBusy(name, status)
    is_new = status in (None, "REVIEW_IN_PROGRESS")
    change_set = _create_change_set(cloudformation, name, parameters, body or template_body(), is_new=is_new)
    changes = _wait_for_change_set(cloudformation, name, change_set, poll)
    if changes:
        with _dropped_unless_agreed(cloudformation, name, change_set, is_new=is_new):
            on_changes(changes)
        seen = _event_ids(cloudformation, name)
        cloudformation.execute_change_set(StackName=name, ChangeSetName=change_set)
        _follow(cloudformation, name, seen, on_event, poll)
    else:
        cloudformation.delete_change_set(StackName=name, ChangeSetName=change_set)
    return Deployment(outputs(cloudformation, name), changes)


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
    _follow(cloudformation, stack_id, seen, on_event, poll)
    return True


def _describe(cloudformation: Any, name: str) -> dict[str, Any] | None:
    try:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack


def _status(cloudformation: Any, name: str) -> str | None:
    stack = _describe(cloudformation, name)
    return None if stack is None else stack["StackStatus"]


def _create_change_set(
    cloudformation: Any, name: str, parameters: Mapping[str, str], body: str, *, is_new: bool
) -> str:
    answer = cloudformation.create_change_set(
        StackName=name,
        ChangeSetName=f"scones-{time.time_ns()}",
        ChangeSetType="CREATE" if is_new else "UPDATE",
        TemplateBody=body,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
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
            return tuple(Change(r["Action"], r["LogicalResourceId"], r["ResourceType"]) for r in resources)
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


def _follow(cloudformation: Any, name: str, seen: set[str], on_event: OnEvent, poll: float) -> None:
    """Report new events, oldest first, until the stack rests; raise StackFailed where it rests in the wrong place."""
    first_reason = ""
    while True:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        fresh = [event for event in _events(cloudformation, name) if event["EventId"] not in seen]
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
