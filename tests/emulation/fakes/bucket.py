"""An S3 bucket in memory, for the parts of the emulator that read and write one."""

import io
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError


class BucketInMemory:
    """S3 as the emulator's parts see it."""

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        self.objects = objects or {}
        self.keys: list[str] = []
        self.refuses = False

    def head_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:  # noqa: N803
        return self.get_object(Bucket=Bucket, Key=Key)

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:  # noqa: N803
        if Key not in self.objects:
            response: Any = {"Error": {"Code": "NoSuchKey"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
            raise ClientError(response, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key]), "ETag": str(hash(self.objects[Key]))}

    def list_objects_v2(self, *, Bucket: str, Prefix: str, **more: Any) -> Mapping[str, Any]:  # noqa: N803
        return {"Contents": [{"Key": key} for key in self.objects if key.startswith(Prefix)]}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **more: str) -> Mapping[str, Any]:  # noqa: N803
        if self.refuses:
            raise ClientError({"Error": {"Code": "NoSuchBucket"}}, "PutObject")
        self.objects[Key] = Body
        return more
