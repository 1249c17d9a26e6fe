"""The input of the batch state machine, from what the user names: a folder, a prefix or a manifest.

All of it is read and checked before anything is uploaded or started. What is skipped is stored next to the input in the
stack's bucket, so that a later `scones batch --attach` can count it, too.
"""

import json
import stat
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from core.s3_uris import S3Uri, is_s3_uri, read_object
from orchestration.executions import S3Image
from orchestration.stack_outputs import StackOutputs
from scones import console, image_inputs
from scones.errors import BucketNotReadable, ImagesMissing, UnusableInput
from scones.image_inputs import SkippedInput
from scones.manifests import is_manifest_name, read_manifest

_FOLDER = "batches"


@dataclass(frozen=True)
class _Survey:
    """The images of a source in S3, and what of it is skipped."""

    images: list[S3Image]
    skipped: list[SkippedInput]


def prepare(s3: Any, outputs: StackOutputs, name: str, source: str) -> dict[str, Any]:
    """Return the state machine's input for a source, with its files uploaded.

    Raises UnusableInput, UnreadableManifest, UndecodableText, ImagesMissing, and BucketNotReadable for a bucket that
    the stack's roles may not read; nothing is uploaded then.
    """
    if not source.strip():
        raise UnusableInput(source, "specify a folder, an s3://bucket/prefix or a manifest")
    if not is_s3_uri(source) and _is_folder(Path(source)):
        return _upload_folder(s3, outputs, name, Path(source))
    survey = _survey_s3(s3, outputs, source) if is_s3_uri(source) else _survey_file(s3, outputs, Path(source))
    bucket = _bucket_of(survey, outputs, source)
    key = f"{_FOLDER}/{name}.json"
    body = json.dumps([{"s3_key": image.s3_key} for image in survey.images])
    s3.put_object(Bucket=outputs.data_bucket, Key=key, Body=body.encode(), ContentType="application/json")
    payload = {"s3_bucket": bucket, "manifest_bucket": outputs.data_bucket, "manifest_key": key}
    _write_skipped(s3, payload, survey.skipped)
    return payload


def read_skipped(s3: Any, payload: dict[str, Any]) -> list[SkippedInput]:
    """Return what was skipped when a batch's input was prepared."""
    content = read_object(s3, _left_out_location(payload)) or b""
    return [SkippedInput(**json.loads(line)) for line in content.splitlines()]


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        raise UnusableInput(str(path), error.strerror or str(error)) from error


def _upload_folder(s3: Any, outputs: StackOutputs, name: str, folder: Path) -> dict[str, Any]:
    payload = {"s3_bucket": outputs.data_bucket, "prefix": f"{_FOLDER}/{name}/"}
    count, skipped = 0, list[SkippedInput]()
    for entry in image_inputs.walk(folder):
        if isinstance(entry, SkippedInput):
            skipped.append(entry)
        else:
            count += 1
    if not count:
        raise ImagesMissing(f"{folder}{_reasons(skipped)}")
    with console.progress("uploading") as advance:
        prefix = str(payload["prefix"])
        image_inputs.upload_folder(s3, outputs.data_bucket, prefix, folder, lambda done: advance(done, count))
    _write_skipped(s3, payload, skipped)
    return payload


def _survey_s3(s3: Any, outputs: StackOutputs, source: str) -> _Survey:
    uri = S3Uri.parse(source)
    if uri.key and is_manifest_name(uri.key):
        return _survey_manifest(s3, _read(s3, uri), source, uri.bucket)
    _require_readable(uri.bucket, outputs)
    survey = _Survey([], [])
    for entry in image_inputs.list_prefix(s3, uri):
        (survey.skipped if isinstance(entry, SkippedInput) else survey.images).append(entry)  # type: ignore[arg-type]
    return survey


def _survey_file(s3: Any, outputs: StackOutputs, path: Path) -> _Survey:
    try:
        content = path.read_bytes()
        is_image = image_inputs.has_image_content(path)
    except OSError as error:
        raise UnusableInput(str(path), error.strerror or str(error)) from error
    if is_image:
        raise UnusableInput(str(path), "it is an image, not a manifest: `scones run` classifies it")
    return _survey_manifest(s3, content, str(path), outputs.data_bucket)


def _survey_manifest(s3: Any, content: bytes, name: str, bucket: str) -> _Survey:
    manifest = read_manifest(content, name, bucket, lambda uri: _read(s3, uri))
    return _Survey(manifest.images, manifest.skipped)


def _read(s3: Any, uri: S3Uri) -> bytes:
    try:
        return bytes(s3.get_object(Bucket=uri.bucket, Key=uri.key)["Body"].read())
    except ClientError as error:
        raise UnusableInput(str(uri), error.response["Error"].get("Message") or str(error)) from error


def _bucket_of(survey: _Survey, outputs: StackOutputs, source: str) -> str:
    """Return the bucket of all images: the state machine reads those of one bucket."""
    buckets = sorted({image.s3_bucket for image in survey.images})
    if not buckets:
        raise ImagesMissing(f"{source}{_reasons(survey.skipped)}")
    for bucket in buckets:
        _require_readable(bucket, outputs)
    if len(buckets) > 1:
        raise UnusableInput(source, f"it names images in {' and '.join(buckets)}: write a manifest for each bucket")
    return buckets[0]


def _require_readable(bucket: str, outputs: StackOutputs) -> None:
    if bucket not in {outputs.data_bucket, outputs.image_bucket}:
        raise BucketNotReadable(bucket, outputs.data_bucket)


def _reasons(skipped: list[SkippedInput]) -> str:
    counts = Counter(each.reason for each in skipped)
    return f" (skipped: {', '.join(f'{count} {reason}' for reason, count in counts.items())})" if counts else ""


def _write_skipped(s3: Any, payload: dict[str, Any], skipped: list[SkippedInput]) -> None:
    if skipped:
        bucket, key = _left_out_location(payload)
        lines = "".join(json.dumps(asdict(each)) + "\n" for each in skipped)
        s3.put_object(Bucket=bucket, Key=key, Body=lines.encode(), ContentType="application/jsonl")


def _left_out_location(payload: dict[str, Any]) -> S3Uri:
    """Return where the list of what is skipped is, next to the manifest or the prefix."""
    bucket = payload.get("manifest_bucket") or payload.get("s3_bucket", "")
    stem = str(payload.get("manifest_key", "")).removesuffix(".json") or str(payload.get("prefix", "")).rstrip("/")
    return S3Uri(bucket, f"{stem}.skipped.jsonl")
