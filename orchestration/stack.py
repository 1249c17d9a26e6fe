"""Deploys the template through a CloudFormation change set, on AWS and on LocalStack alike."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from orchestration.errors import StackBusy, StackFailed, StackMissing

TEMPLATE = Path(__file__).with_name("template.yaml")
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


def template_body(template: Path = TEMPLATE) -> str:
    """Return the template with each state machine's definition file set in its place.

    ``DefinitionS3Location: file`` in the template is what ``aws cloudformation package`` understands; set in as a
    string, the definition needs no bucket before the stack that makes the bucket. A body may have 51,200 bytes
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
    """

    def inline(found: re.Match[str]) -> str:
        definition = json.loads((template.parent / found["file"]).read_text())
        return f"{found['indent']}DefinitionString: {json.dumps(json.dumps(definition))}"

    pattern = r"^(?P<indent> +)DefinitionS3Location: (?P<file>\S+)$"
    return re.sub(pattern, inline, template.read_text(), flags=re.MULTILINE)


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

    ``on_changes`` sees the change set before it is applied and may raise to stop there; ``poll`` is in seconds.
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
