from typing import Any

import pytest

from orchestration.errors import StackFailed
from orchestration.revisions import Revision
from orchestration.stack_difference import Drift, compare, detect_drift
from tests import fake_aws
from tests.scones.fake_cloudformation import NOW, CloudFormation

URL = {"TemplateURL": "https://s3/template.yaml"}
DEPLOYED = Revision("Description: old\nResources: {}\n", {"Threshold": "0.94", "AlarmEmail": "a@example.com"})


class Drifted(CloudFormation):
    """Somebody has changed the filter function's memory by hand, and deleted a queue."""

    def __init__(self, statuses: list[str]) -> None:
        super().__init__()
        self.statuses = statuses

    def detect_stack_drift(self, **_: str) -> dict[str, str]:
        return {"StackDriftDetectionId": "d"}

    def describe_stack_drift_detection_status(self, **_: str) -> dict[str, Any]:
        status = {"DetectionStatus": self.statuses.pop(0), "DetectionStatusReason": "access denied"}
        return {"StackId": "s", "StackDriftDetectionId": "d", "Timestamp": NOW, **status}

    def describe_stack_resource_drifts(self, **_: Any) -> dict[str, Any]:
        values = {"ExpectedValue": "128", "ActualValue": "256", "DifferenceType": "NOT_EQUAL"}
        memory = {"PropertyPath": "/MemorySize", **values}
        common = {"StackId": "s", "Timestamp": NOW}
        function = {"LogicalResourceId": "FilterFunction", "ResourceType": "AWS::Lambda::Function"}
        queue = {"LogicalResourceId": "ReviewQueue", "ResourceType": "AWS::SQS::Queue"}
        return {
            "StackResourceDrifts": [
                {**common, **function, "StackResourceDriftStatus": "MODIFIED", "PropertyDifferences": [memory]},
                {**common, **queue, "StackResourceDriftStatus": "DELETED"},
            ]
        }


def test_a_difference_names_resources_parameters_and_lines_and_applies_nothing() -> None:
    fake = CloudFormation()
    fake.execute_change_set = lambda **_: pytest.fail("applied")  # type: ignore[method-assign]
    new = Revision("Description: new\nResources: {}\n", {"Threshold": "0.9", "AlarmEmail": "a@example.com"})
    cloudformation = fake_aws.client("cloudformation", fake)
    difference = compare(cloudformation, "scones", DEPLOYED, new, URL, {"EndpointName": "e"}, poll=0)
    assert [change.resource for change in difference.changes] == ["FilterFunction"]
    assert difference.parameters == {"Threshold": ("0.94", "0.9"), "EndpointName": (None, "e")}
    assert difference.template[3:] == ("-Description: old", "+Description: new", " Resources: {}")


def test_a_stack_that_is_up_to_date_has_no_difference() -> None:
    cloudformation = fake_aws.client("cloudformation", CloudFormation(changes=()))
    difference = compare(cloudformation, "scones", DEPLOYED, DEPLOYED, URL, {}, poll=0)
    assert (difference.changes, difference.parameters, difference.template) == ((), {}, ())


def test_drift_names_what_was_changed_by_hand() -> None:
    drifted = Drifted(["DETECTION_IN_PROGRESS", "DETECTION_COMPLETE"])
    assert detect_drift(fake_aws.client("cloudformation", drifted), "scones", poll=0) == [
        Drift("FilterFunction", "AWS::Lambda::Function", "MODIFIED", ("/MemorySize",)),
        Drift("ReviewQueue", "AWS::SQS::Queue", "DELETED", ()),
    ]


def test_a_detection_that_fails_says_why() -> None:
    with pytest.raises(StackFailed, match="access denied"):
        detect_drift(fake_aws.client("cloudformation", Drifted(["DETECTION_FAILED"])), "scones", poll=0)
