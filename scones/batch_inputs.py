"""The input of the batch state machine, from what the user names; local files are uploaded."""

from pathlib import Path
from typing import Any

from core.s3_uris import S3Uri, is_s3_uri
from scones import console, image_inputs
from scones.errors import BucketNotReadable, ImagesMissing
from scones.stack_outputs import StackOutputs


def state_machine_input(s3: Any, outputs: StackOutputs, name: str, source: str) -> dict[str, Any]:
    """Return the state machine's input for a folder, an S3 prefix or a manifest.

    Raises ImagesMissing, and BucketNotReadable for a bucket that the stack's roles may not read.
    """
    if is_s3_uri(source):
        return _of_s3(s3, outputs, S3Uri.parse(source))
    path, bucket = Path(source), outputs.data_bucket
    if path.is_dir():
        prefix = f"batches/{name}/"
        with console.progress("uploading") as advance:
            image_inputs.upload_folder(s3, bucket, prefix, path, lambda count: advance(count, count))
        return {"s3_bucket": bucket, "prefix": prefix}
    if path.suffix == ".json" and path.is_file():
        key = f"batches/{name}.json"
        s3.upload_file(str(path), bucket, key)
        return {"s3_bucket": bucket, "manifest_key": key}
    raise ImagesMissing(source)


def _of_s3(s3: Any, outputs: StackOutputs, uri: S3Uri) -> dict[str, Any]:
    if uri.bucket not in {outputs.data_bucket, outputs.image_bucket}:
        raise BucketNotReadable(uri.bucket, outputs.data_bucket)
    if not s3.list_objects_v2(Bucket=uri.bucket, Prefix=uri.key, MaxKeys=1).get("Contents"):
        raise ImagesMissing(str(uri))
    return {"s3_bucket": uri.bucket, ("manifest_key" if uri.key.endswith(".json") else "prefix"): uri.key}
