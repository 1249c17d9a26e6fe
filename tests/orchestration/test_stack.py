from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestration.errors import ParametersUnknown, StackBusy, StackFailed
from orchestration.stack import Change, StackEvent, delete, deploy

TEMPLATE = {"TemplateURL": "https://s3.us-east-1.amazonaws.com/artifacts/template.yaml"}


class FakeCloudFormation:
    """A stack that goes through the statuses it is given, one a look."""

    meta = SimpleNamespace(region_name="us-east-1")

    def __init__(
        self, status: str | None, then: list[str], events: list[tuple[str, str, str]], reason: str = ""
    ) -> None:
        self.statuses = [status, *then]
        self.story = [
            {
                "EventId": str(n),
                "LogicalResourceId": name,
                "ResourceType": "T",
                "ResourceStatus": what,
                "ResourceStatusReason": why,
            }
            for n, (name, what, why) in enumerate(events)
        ]
        self.told = 0
        self.reason = reason
        self.held = {"Threshold": "0.9", "Gone": "x"}
        self.parameters: dict[str, str] = {}
        self.calls: list[str] = []

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status is None:
            message = f"Stack with id {StackName} does not exist"
            raise ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "DescribeStacks")
        result = {"StackId": "id", "StackStatus": status, "Outputs": [{"OutputKey": "DataBucket", "OutputValue": "b"}]}
        result["Parameters"] = [{"ParameterKey": key, "ParameterValue": value} for key, value in self.held.items()]
        return {"Stacks": [result]}

    def get_paginator(self, _operation: str) -> "FakeCloudFormation":
        return self

    def paginate(self, StackName: str, ChangeSetName: str = "") -> list[dict[str, Any]]:  # noqa: N803
        if ChangeSetName:
            return [self.describe_change_set(), self.describe_change_set("second")]
        return [{"StackEvents": list(reversed(self.story[: self.told]))}]

    def validate_template(self, TemplateURL: str) -> dict[str, Any]:  # noqa: N803
        return {"Parameters": [{"ParameterKey": name} for name in ("Threshold", "EndpointName", "Dashboard")]}

    def create_change_set(self, **request: Any) -> dict[str, str]:
        self.parameters = {one["ParameterKey"]: one.get("ParameterValue", "as before") for one in request["Parameters"]}
        self.calls.append(f"create {request['ChangeSetType']}")
        assert request.items() >= TEMPLATE.items()
        return {"Id": "change-set"}

    def describe_change_set(self, NextToken: str = "", **_: str) -> dict[str, Any]:  # noqa: N803
        """Return the changes in two pages."""
        if self.reason:
            return {"Status": "FAILED", "StatusReason": self.reason}
        name, kind = ("ReviewQueue", "AWS::SQS::Queue") if NextToken else ("DataBucket", "AWS::S3::Bucket")
        change = {"Action": "Add", "LogicalResourceId": name, "ResourceType": kind}
        page = {"Status": "CREATE_COMPLETE", "Changes": [{"ResourceChange": change}]}
        return page if NextToken else {**page, "NextToken": "second"}

    def execute_change_set(self, **_: str) -> None:
        self.calls.append("execute")
        self.told = len(self.story)

    def delete_change_set(self, **_: str) -> None:
        self.calls.append("drop change set")

    def delete_stack(self, **_: str) -> None:
        self.calls.append("delete stack")
        self.told = len(self.story)


def test_a_new_stack_is_created_and_its_outputs_returned() -> None:
    seen: list[StackEvent] = []
    fake = FakeCloudFormation(None, ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"], [("DataBucket", "CREATE_COMPLETE", "")])
    result = deploy(fake, "s", TEMPLATE, {}, on_event=seen.append, poll=0)
    assert result.outputs == {"DataBucket": "b"}
    assert result.changes == (
        Change("Add", "DataBucket", "AWS::S3::Bucket"),
        Change("Add", "ReviewQueue", "AWS::SQS::Queue"),
    )
    assert [event.resource for event in seen] == ["DataBucket"]
    assert fake.calls == ["create CREATE", "execute"]


def test_a_stack_that_needs_no_change_is_left_alone() -> None:
    fake = FakeCloudFormation("CREATE_COMPLETE", [], [], reason="The submitted information didn't contain changes.")
    assert deploy(fake, "s", TEMPLATE, {}, poll=0).changes == ()
    assert fake.calls == ["create UPDATE", "drop change set"]


def test_what_is_not_named_keeps_the_value_that_the_stack_has() -> None:
    fake = FakeCloudFormation("UPDATE_COMPLETE", ["UPDATE_COMPLETE"], [])
    deploy(fake, "s", TEMPLATE, {"Dashboard": "DISABLED"}, initial={"Threshold": "0.94", "EndpointName": "e"}, poll=0)
    assert fake.parameters == {"Threshold": "as before", "EndpointName": "e", "Dashboard": "DISABLED"}


def test_what_is_named_wins_over_what_the_stack_has() -> None:
    fake = FakeCloudFormation("UPDATE_COMPLETE", ["UPDATE_COMPLETE"], [])
    deploy(fake, "s", TEMPLATE, {"Threshold": "0.8"}, poll=0)
    assert fake.parameters == {"Threshold": "0.8"}


def test_a_parameter_that_the_template_does_not_have_is_refused_by_name_before_anything_happens() -> None:
    fake = FakeCloudFormation("UPDATE_COMPLETE", ["UPDATE_COMPLETE"], [])
    with pytest.raises(ParametersUnknown, match=r"no parameter Treshold.*it has Dashboard, EndpointName, Threshold"):
        deploy(fake, "s", TEMPLATE, {"Treshold": "0.8"}, poll=0)
    assert fake.calls == []


def test_a_rollback_is_reported_with_its_first_real_reason() -> None:
    events = [
        ("FilterRole", "CREATE_FAILED", "Resource creation cancelled"),
        ("DataBucket", "CREATE_FAILED", "the name is taken"),
        ("ReviewQueue", "CREATE_FAILED", "later trouble"),
    ]
    fake = FakeCloudFormation(None, ["CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE"], events)
    with pytest.raises(StackFailed, match=r"DataBucket \(T\): the name is taken"):
        deploy(fake, "s", TEMPLATE, {}, poll=0)


def test_the_shell_of_a_failed_creation_is_removed_before_the_next() -> None:
    statuses = ["ROLLBACK_COMPLETE", "DELETE_IN_PROGRESS", "DELETE_COMPLETE", "CREATE_COMPLETE"]
    fake = FakeCloudFormation("ROLLBACK_COMPLETE", statuses, [])
    deploy(fake, "s", TEMPLATE, {}, poll=0)
    assert fake.calls == ["delete stack", "create CREATE", "execute"]


def test_a_stack_that_was_whole_once_is_never_taken_for_a_shell() -> None:
    class OnceWhole(FakeCloudFormation):
        """LocalStack says ROLLBACK_COMPLETE of a failed update too."""

        def paginate(self, StackName: str, ChangeSetName: str = "") -> list[dict[str, Any]]:  # noqa: N803
            if ChangeSetName:
                return super().paginate(StackName, ChangeSetName)
            kind, status = "AWS::CloudFormation::Stack", "CREATE_COMPLETE"
            whole = {"EventId": "0", "LogicalResourceId": StackName, "ResourceType": kind, "ResourceStatus": status}
            return [{"StackEvents": [whole]}]

    fake = OnceWhole("ROLLBACK_COMPLETE", ["UPDATE_COMPLETE"], [])
    deploy(fake, "s", TEMPLATE, {}, poll=0)
    assert fake.calls == ["create UPDATE", "execute"]


def test_a_stack_that_is_being_changed_is_not_touched() -> None:
    fake = FakeCloudFormation("UPDATE_IN_PROGRESS", [], [])
    with pytest.raises(StackBusy, match="UPDATE_IN_PROGRESS"):
        deploy(fake, "s", TEMPLATE, {}, poll=0)
    assert fake.calls == []


def test_a_change_set_can_be_declined_before_it_is_applied() -> None:
    def decline(_changes: tuple[Change, ...]) -> None:
        raise KeyboardInterrupt

    fake = FakeCloudFormation(None, ["CREATE_COMPLETE"], [])
    with pytest.raises(KeyboardInterrupt):
        deploy(fake, "s", TEMPLATE, {}, on_changes=decline, poll=0)
    assert fake.calls == ["create CREATE", "drop change set", "delete stack"]


def test_a_declined_update_leaves_the_stack() -> None:
    def decline(_changes: tuple[Change, ...]) -> None:
        raise KeyboardInterrupt

    fake = FakeCloudFormation("CREATE_COMPLETE", [], [])
    with pytest.raises(KeyboardInterrupt):
        deploy(fake, "s", TEMPLATE, {}, on_changes=decline, poll=0)
    assert fake.calls == ["create UPDATE", "drop change set"]


def test_a_change_set_that_fails_says_why() -> None:
    fake = FakeCloudFormation(None, [], [], reason="Template format error")
    with pytest.raises(StackFailed, match="Template format error"):
        deploy(fake, "s", TEMPLATE, {}, poll=0)


def test_deleting_a_missing_stack_does_nothing() -> None:
    assert delete(FakeCloudFormation(None, [], []), "s", poll=0) is False


def test_a_deletion_that_fails_names_the_resource() -> None:
    events = [("DataBucket", "DELETE_FAILED", "the bucket is not empty")]
    fake = FakeCloudFormation("CREATE_COMPLETE", ["DELETE_IN_PROGRESS", "DELETE_FAILED"], events)
    with pytest.raises(StackFailed, match="the bucket is not empty"):
        delete(fake, "s", poll=0)


def test_events_older_than_the_deployment_are_not_told_again() -> None:
    seen: list[StackEvent] = []
    fake = FakeCloudFormation("CREATE_COMPLETE", ["UPDATE_COMPLETE"], [("Old", "CREATE_COMPLETE", "")])
    fake.told = 1
    deploy(fake, "s", TEMPLATE, {}, on_event=seen.append, poll=0)
    assert seen == []
