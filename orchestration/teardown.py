"""Removes what a stack's own deletion would stumble over or leave behind: objects, late captures, log groups."""

from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import ClientError

from orchestration import stack
from orchestration.errors import StackFailed

OnDeleted = Callable[[int], None]


def resources(cloudformation: Any, name: str, resource_type: str) -> list[str]:
    """Return the physical names of the stack's resources of one type, ``AWS::S3::Bucket`` for one."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    return [
        found["PhysicalResourceId"]
        for page in pages
        for found in page["StackResourceSummaries"]
        if found["ResourceType"] == resource_type
        and found["ResourceStatus"] != "DELETE_COMPLETE"
        and found.get("PhysicalResourceId")  # what could not be made has none
    ]


def empty(s3: Any, bucket: str, on_deleted: OnDeleted = lambda _: None) -> int:
    """Delete every version of every object, every delete marker and every unfinished upload; return how many."""
    gone = 0
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            found = page.get("Versions", []) + page.get("DeleteMarkers", [])
            doomed = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
            if doomed:
                s3.delete_objects(Bucket=bucket, Delete={"Objects": doomed, "Quiet": True})
                gone += len(doomed)
                on_deleted(gone)
        for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
            for upload in page.get("Uploads", []):
                s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
    return gone


def delete_stack(
    cloudformation: Any,
    s3: Any,
    name: str,
    *,
    on_deleted: OnDeleted = lambda _: None,
    on_event: stack.OnEvent = lambda _: None,
    poll: float = 1.0,
) -> bool:
    """Empty the stack's buckets and delete the stack; False where there was none.

    Data capture is written a minute or two late: where something came in after a bucket was emptied, both are done once
    more. Raises StackFailed.
    """
    buckets = resources(cloudformation, name, "AWS::S3::Bucket")
    for bucket in buckets:
        empty(s3, bucket, on_deleted)
    try:
        return stack.delete(cloudformation, name, on_event=on_event, poll=poll)
    except StackFailed:
        if not sum(empty(s3, bucket, on_deleted) for bucket in buckets):
            raise
    return stack.delete(cloudformation, name, on_event=on_event, poll=poll)


def delete_log_groups(logs: Any, names: Iterable[str]) -> list[str]:
    """Delete the log groups; return the names of those that were there."""
    gone = []
    for name in names:
        try:
            logs.delete_log_group(logGroupName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
        else:
            gone.append(name)
    return gone
