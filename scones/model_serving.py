"""Serves a model on the stack's endpoint, with data capture."""

import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3

from core.labels import VEHICLES, Labels
from core.s3_uris import S3Uri, has_objects
from orchestration.stack_outputs import StackOutputs
from scones.errors import ModelOfOtherLabels
from training import endpoint_deployment
from training.endpoint_spec import EndpointOptions, EndpointStatus
from training.vehicle_net.package import SHIPPED, check, package

BASELINE = "baseline.json"
"""The baseline's file name, in a model directory and next to a model artifact in S3."""
CAPTURE_PREFIX = "capture"
LOCAL_IMAGE = "scones/inference:local"


def deploy_endpoint(  # noqa: PLR0913 - the settings of an endpoint
    session: boto3.Session,
    outputs: StackOutputs,
    *,
    model_dir: Path = SHIPPED,
    model_artifact: str | None = None,
    image_uri: str = LOCAL_IMAGE,
    instance_type: str,
    capture_percent: int = 100,
    options: EndpointOptions | None = None,
    role_arn: str | None = None,
) -> EndpointStatus:
    """Serve a training job's model artifact, or a model directory, which is uploaded under its own digest.

    Raises IncompleteModel or ModelOfOtherLabels for a directory; an artifact with other labels fails when its container
    starts.
    """
    if model_artifact is None:
        _check_labels(model_dir, outputs.labels)
    return endpoint_deployment.deploy(
        session,
        name=outputs.endpoint_name,
        image_uri=image_uri,
        model_data_url=model_artifact or _upload_model(session, outputs.data_bucket, model_dir),
        role_arn=role_arn or outputs.endpoint_role_arn,
        capture_uri=capture_uri(outputs),
        capture_percent=capture_percent,
        instance_type=instance_type,
        options=replace(options or EndpointOptions(), environment=container_environment(outputs.labels)),
    )


def capture_uri(outputs: StackOutputs) -> str:
    """Return where the stack's endpoints capture to."""
    return f"s3://{outputs.data_bucket}/{CAPTURE_PREFIX}"


def container_environment(labels: Labels) -> dict[str, str]:
    """Return the environment of a model's container; it needs none for its default labels."""
    return {} if labels == VEHICLES else {"LABELS": ",".join(labels)}


def _check_labels(model_dir: Path, labels: Labels) -> None:
    check(model_dir)
    model_labels = json.loads((model_dir / "model.json").read_text("utf-8"))["labels"]
    if model_labels != list(labels):
        raise ModelOfOtherLabels(model_dir, model_labels, labels)


def _upload_model(session: boto3.Session, bucket: str, model_dir: Path) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        archive = package(model_dir, Path(scratch) / "model.tar.gz")
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()[:16]
        s3, folder = session.client("s3"), f"models/{digest}"
        s3.upload_file(str(archive), bucket, f"{folder}/model.tar.gz")
        _upload_baseline(s3, bucket, f"{folder}/{BASELINE}", model_dir / BASELINE)
    return f"s3://{bucket}/{folder}/model.tar.gz"


def _upload_baseline(s3: Any, bucket: str, key: str, path: Path) -> None:
    """Put the model's baseline next to it, but keep one that was created from captured inferences since."""
    if path.is_file() and not has_objects(s3, S3Uri(bucket, key)):
        s3.upload_file(str(path), bucket, key)
