"""What a deployment would change, and what was changed outside of CloudFormation; changes nothing itself."""

import difflib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestration import stack
from orchestration.errors import StackFailed
from orchestration.revisions import Revision

_DRIFTED = ["MODIFIED", "DELETED"]


@dataclass(frozen=True)
class Difference:
    """Resources that would change, parameters with their values before and after, and the template's changed lines.

    ``is_update`` tells whether there is a stack.
    """

    is_update: bool
    changes: tuple[stack.Change, ...]
    parameters: Mapping[str, tuple[str | None, str]]
    template: tuple[str, ...]


@dataclass(frozen=True)
class Drift:
    """A resource that differs from its template: MODIFIED with the paths of its changed properties, or DELETED."""

    resource: str
    resource_type: str
    status: str
    properties: tuple[str, ...]


class _ComparedError(Exception):
    def __init__(self, changes: tuple[stack.Change, ...]) -> None:
        self.changes = changes


def compare(
    cloudformation: Any,
    name: str,
    deployed: Revision | None,
    new: Revision,
    template: stack.Template,
    initial: Mapping[str, str],
    *,
    poll: float = 1.0,
) -> Difference:
    """Compare by a change set, which is deleted again. ``template`` names the new template's object.

    Raises StackError.
    """

    def on_changes(changes: tuple[stack.Change, ...]) -> None:
        raise _ComparedError(changes)

    before = deployed or Revision("", {})
    changes: tuple[stack.Change, ...] = ()
    try:
        stack.deploy(cloudformation, name, template, new.parameters, initial=initial, on_changes=on_changes, poll=poll)
    except _ComparedError as compared:
        changes = compared.changes
    values = {key: value for key, value in initial.items() if key not in before.parameters} | dict(new.parameters)
    changed = {key: (before.parameters.get(key), value) for key, value in values.items()}
    changed = {key: (old, value) for key, (old, value) in changed.items() if old != value}
    texts = before.template.splitlines(), new.template.splitlines()
    lines = difflib.unified_diff(*texts, "deployed", "new", lineterm="")
    return Difference(deployed is not None, changes, changed, tuple(lines) if deployed else ())


def detect_drift(cloudformation: Any, name: str, poll: float = 3.0) -> list[Drift]:
    """Return the resources that were changed outside of CloudFormation. Raises StackFailed."""
    detection = cloudformation.detect_stack_drift(StackName=name)["StackDriftDetectionId"]
    while True:
        result = cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if result["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            break
        time.sleep(poll)
    if result["DetectionStatus"] == "DETECTION_FAILED":
        reason = result.get("DetectionStatusReason", "no reason reported")
        raise StackFailed(name, "DETECTION_FAILED", reason, "drift detection of stack")
    drifts = cloudformation.describe_stack_resource_drifts(
        StackName=name, StackResourceDriftStatusFilters=_DRIFTED, MaxResults=100
    )["StackResourceDrifts"]
    return [
        Drift(
            drift["LogicalResourceId"],
            drift["ResourceType"],
            drift["StackResourceDriftStatus"],
            tuple(difference["PropertyPath"] for difference in drift.get("PropertyDifferences", [])),
        )
        for drift in drifts
    ]
