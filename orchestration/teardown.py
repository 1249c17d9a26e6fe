"""Deletes a stack with what its own deletion fails on or leaves: objects, late captures, log groups."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from core.aws_errors import error_code
from orchestration import stack
from orchestration.errors import ObjectsNotDeleted, StackFailed

OnDeleted = Callable[[int], None]

# https://www.w3.org/TR/xml/#charsets: no XML, and so no request of DeleteObjects, can contain these.
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def resources(cloudformation: Any, name: str, resource_type: str) -> list[str]:
    """Return the physical IDs of the stack's resources of one type, such as ``AWS::S3::Bucket``."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    return [
        resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == resource_type
        and resource["ResourceStatus"] != "DELETE_COMPLETE"
        and resource.get("PhysicalResourceId")  # a resource that could not be created has none
    ]


def empty(s3: Any, bucket: str, on_deleted: OnDeleted = lambda _: None) -> int:
    """Delete all versions, delete markers and unfinished uploads of a bucket; return how many versions and markers.

    Raises ObjectsNotDeleted if S3 refuses all of a request's objects.
    """
    deleted = 0
    try:
        while objects := _first_versions(s3, bucket):
            refused = _delete(s3, bucket, objects)
            if len(refused) == len(objects):
                raise ObjectsNotDeleted(bucket, len(refused), refused[0].get("Message", "no reason reported"))
            deleted += len(objects) - len(refused)
            on_deleted(deleted)
        for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
            for upload in page.get("Uploads", []):
                s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    except ClientError as error:
        if error_code(error) != "NoSuchBucket":
            raise
    return deleted


def _first_versions(s3: Any, bucket: str) -> list[dict[str, str]]:
    page = s3.list_object_versions(Bucket=bucket)
    entries = page.get("Versions", []) + page.get("DeleteMarkers", [])
    return [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]


def _delete(s3: Any, bucket: str, objects: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Delete versions and return the errors of those that S3 refuses."""
    together = []
    for each in objects:
        if _NOT_IN_XML.search(each["Key"]):
            s3.delete_object(Bucket=bucket, **each)
        else:
            together.append(each)
    response = s3.delete_objects(Bucket=bucket, Delete={"Objects": together, "Quiet": True}) if together else {}
    return list(response.get("Errors", ()))


def delete_stack(
    cloudformation: Any,
    s3: Any,
    name: str,
    *,
    on_deleted: OnDeleted = lambda _: None,
    on_event: stack.OnEvent = lambda _: None,
    poll: float = 1.0,
) -> bool:
    """Empty the stack's buckets and delete the stack; return False if there is none.

    Data capture is written a minute or two late: where objects arrive after a bucket was emptied, both are repeated
    once. Raises StackFailed.
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
    """Delete log groups; return the names of those that existed."""
    deleted = []
    for name in names:
        try:
            logs.delete_log_group(logGroupName=name)
        except ClientError as error:
            if error_code(error) != "ResourceNotFoundException":
                raise
        else:
            deleted.append(name)
    return deleted
