from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from orchestration import stack, teardown
from orchestration.errors import ObjectsNotDeleted, StackFailed


@pytest.fixture
def s3() -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client("s3", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        yield client, stub
        stub.assert_no_pending_responses()


def listed(stub: Stubber, keys: list[str]) -> None:
    versions = [{"Key": key, "VersionId": "1"} for key in keys]
    markers = [{"Key": keys[0], "VersionId": "2"}] if keys else []
    stub.add_response("list_object_versions", {"Versions": versions, "DeleteMarkers": markers}, {"Bucket": "data"})


def deleted(stub: Stubber, keys: list[str]) -> None:
    doomed = [{"Key": key, "VersionId": "1"} for key in keys] + [{"Key": keys[0], "VersionId": "2"}]
    stub.add_response("delete_objects", {}, {"Bucket": "data", "Delete": {"Objects": doomed, "Quiet": True}})


def no_uploads(stub: Stubber) -> None:
    stub.add_response("list_multipart_uploads", {}, {"Bucket": "data"})


class FakeCloudFormation:
    """A stack with one bucket whose deletion fails as often as it is told to."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.deletions = 0

    def get_paginator(self, operation: str) -> "FakeCloudFormation":
        self.operation = operation
        return self

    def paginate(self, StackName: str) -> list[dict[str, Any]]:  # noqa: N803
        kinds = {"data": "AWS::S3::Bucket", "queue": "AWS::SQS::Queue"}
        result = [
            {"PhysicalResourceId": name, "ResourceType": kind, "ResourceStatus": "CREATE_COMPLETE"}
            for name, kind in kinds.items()
        ]
        unmade = {"ResourceType": "AWS::S3::Bucket", "ResourceStatus": "CREATE_FAILED"}
        return [{"StackResourceSummaries": [*result, unmade]}]

    def stack_deletion(self, *_: Any, **__: Any) -> bool:
        self.deletions += 1
        if self.deletions <= self.failures:
            raise StackFailed("scones", "DELETE_FAILED", "DataBucket: The bucket you tried to delete is not empty")
        return True


def test_a_bucket_loses_every_version_every_marker_and_every_unfinished_upload(s3: Any) -> None:
    client, stub = s3
    listed(stub, ["a.png", "b.png"])
    deleted(stub, ["a.png", "b.png"])
    listed(stub, [])
    stub.add_response("list_multipart_uploads", {"Uploads": [{"Key": "c", "UploadId": "u"}]}, {"Bucket": "data"})
    stub.add_response("abort_multipart_upload", {}, {"Bucket": "data", "Key": "c", "UploadId": "u"})
    counts: list[int] = []
    assert teardown.empty(client, "data", counts.append) == 3
    assert counts == [3]


def refused(stub: Stubber, *keys: str) -> None:
    errors = [{"Key": key, "Code": "AccessDenied", "Message": "Access Denied"} for key in keys]
    stub.add_response("delete_objects", {"Errors": errors})


def test_objects_that_s3_refuses_once_are_deleted_in_the_next_request(s3: Any) -> None:
    client, stub = s3
    listed(stub, ["a.png", "b.png"])
    refused(stub, "b.png")
    listed(stub, ["b.png"])
    deleted(stub, ["b.png"])
    listed(stub, [])
    no_uploads(stub)
    assert teardown.empty(client, "data") == 4


@pytest.mark.parametrize("odd", ["esc/a\x1b[31mb.jpg", "nul\0", "\ufffe"])
def test_a_key_that_no_xml_can_contain_is_deleted_by_a_request_of_its_own(odd: str, s3: Any) -> None:
    client, stub = s3
    listed(stub, [odd, "a\n\t\r é 🚲.png"])
    for version in "1", "2":
        stub.add_response("delete_object", {}, {"Bucket": "data", "Key": odd, "VersionId": version})
    in_xml = {"Objects": [{"Key": "a\n\t\r é 🚲.png", "VersionId": "1"}], "Quiet": True}
    stub.add_response("delete_objects", {}, {"Bucket": "data", "Delete": in_xml})
    listed(stub, [])
    no_uploads(stub)
    assert teardown.empty(client, "data") == 3


def test_objects_that_s3_does_not_delete_end_the_command_with_the_reason(s3: Any) -> None:
    client, stub = s3
    listed(stub, ["a.png"])
    refused(stub, "a.png", "a.png")
    with pytest.raises(ObjectsNotDeleted, match="2 objects in data could not be deleted: Access Denied"):
        teardown.empty(client, "data")


def test_a_bucket_that_is_gone_is_empty(s3: Any) -> None:
    client, stub = s3
    stub.add_client_error("list_object_versions", "NoSuchBucket")
    assert teardown.empty(client, "data") == 0


def test_a_capture_that_comes_late_is_deleted_too(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client, stub = s3
    listed(stub, [])
    no_uploads(stub)
    listed(stub, ["capture/late.jsonl"])
    deleted(stub, ["capture/late.jsonl"])
    listed(stub, [])
    no_uploads(stub)
    cloudformation = FakeCloudFormation(failures=1)
    monkeypatch.setattr(stack, "delete", cloudformation.stack_deletion)
    assert teardown.delete_stack(cloudformation, client, "scones")
    assert cloudformation.deletions == 2


def test_a_deletion_that_fails_for_another_reason_is_not_tried_again(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client, stub = s3
    for _ in range(2):
        listed(stub, [])
        no_uploads(stub)
    cloudformation = FakeCloudFormation(failures=9)
    monkeypatch.setattr(stack, "delete", cloudformation.stack_deletion)
    with pytest.raises(StackFailed, match="not empty"):
        teardown.delete_stack(cloudformation, client, "scones")
    assert cloudformation.deletions == 1


def test_log_groups_that_are_gone_are_passed_over() -> None:
    client = boto3.client("logs", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        stub.add_response("delete_log_group", {}, {"logGroupName": "/aws/lambda/a"})
        stub.add_client_error("delete_log_group", "ResourceNotFoundException")
        assert teardown.delete_log_groups(client, ["/aws/lambda/a", "/aws/lambda/b"]) == ["/aws/lambda/a"]
