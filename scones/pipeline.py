"""The steps of the workflow, each of which passes one package's result to the next."""

import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from core.labels import VEHICLES, Labels, dataset_name, parse_labels
from orchestration import bootstrap, executions, package, stack
from scones import __version__
from scones.console import Advance, err, escape
from scones.errors import ModelOfOtherLabels, NothingToRender
from scones.settings import ROOT, Settings, Target

if TYPE_CHECKING:
    from training.data.labelled_images import ImageSource
    from training.endpoint_settings import EndpointOptions, EndpointStatus

SHIPPED_MODEL = ROOT / "training" / "vehicle_net" / "shipped"
BASELINE = "baseline.json"
"""Beside a model, on disk and in S3: what its answers and its images looked like when all was well."""
CAPTURE_PREFIX = "capture"
_UPLOADS = 16


@dataclass(frozen=True)
class Deployed:
    """What a deployed stack answers to, by the names of its outputs."""

    state_machine_arn: str
    batch_state_machine_arn: str
    data_bucket: str
    review_queue_url: str
    failure_queue_url: str
    endpoint_name: str
    endpoint_role_arn: str
    threshold: float
    labels: Labels = VEHICLES
    image_bucket: str | None = None

    @classmethod
    def from_outputs(cls, outputs: dict[str, str]) -> "Deployed":
        """Read the stack's outputs."""
        return cls(
            state_machine_arn=outputs["StateMachineArn"],
            batch_state_machine_arn=outputs["BatchStateMachineArn"],
            data_bucket=outputs["DataBucket"],
            review_queue_url=outputs["ReviewQueueUrl"],
            failure_queue_url=outputs["FailureQueueUrl"],
            endpoint_name=outputs["EndpointName"],
            endpoint_role_arn=outputs["EndpointRoleArn"],
            threshold=float(outputs["Threshold"]),
            labels=parse_labels(outputs["Labels"]),
            image_bucket=outputs.get("ImageBucket"),
        )


@dataclass(frozen=True)
class Dataset:
    """Images in S3; ``labels`` gives each key of the test split its label, 0 or 1."""

    name: str
    prefix: str
    train: int
    labels: dict[str, int]
    uploaded: int
    skipped: int


def deployed(session: boto3.Session, settings: Settings) -> Deployed:
    """Look the stack up; raises StackMissing."""
    return Deployed.from_outputs(stack.outputs(session.client("cloudformation"), settings.stack))


def deploy_stack(
    session: boto3.Session,
    settings: Settings,
    parameters: dict[str, str],
    on_changes: Callable[[tuple[stack.Change, ...]], None] = lambda _: None,
    on_event: stack.OnEvent = lambda _: None,
) -> stack.Deployment:
    """Create or update the stack; the endpoint's name derives from the stack's, unless it was given another."""
    local = stack.LOCAL_PARAMETERS if settings.target is Target.LOCAL else {}
    asked = {"Labels": ",".join(settings.labels)} if settings.labels else {}
    cloudformation, s3 = session.client("cloudformation"), session.client("s3")
    if settings.target is Target.LOCAL:
        bucket = bootstrap.local_artifact_bucket(s3)
    else:
        bucket = bootstrap.artifact_bucket(cloudformation)
    return stack.deploy(
        cloudformation,
        settings.stack,
        {"TemplateURL": package.upload(s3, bucket)},
        {**asked, **parameters},
        initial={"EndpointName": settings.endpoint_name, **local},
        on_changes=on_changes,
        on_event=on_event,
        poll=0.2 if settings.target is Target.LOCAL else 3.0,
    )


def choose_source(
    settings: Settings,
    advance: Advance,
    *,
    synthetic: bool = False,
    labels: Labels = VEHICLES,
    others: int | None = None,
) -> "ImageSource":
    """CIFAR-100 from the archive named, else from the cache or by download; rendered vehicles where none of it works.

    An archive that was named and cannot be read is an error: nobody gets other pictures than those asked for. So are
    classes that cannot be rendered where there is nothing else. ``others`` is how many images of other classes come
    along: as many as were staged before, unless it is given. Raises a DataError, NothingToRender.
    """
    from training.data.cifar_archive import CifarSource  # noqa: PLC0415
    from training.data.cifar_download import locate_archive  # noqa: PLC0415
    from training.data.errors import DataError  # noqa: PLC0415

    rendered = labels == VEHICLES
    if synthetic:
        if not rendered:
            raise NothingToRender(labels)
        return _rendered(settings, others)
    try:
        archive, dataset = locate_archive(settings.archive, settings.cache, progress=advance), dataset_name(labels)
        return CifarSource(archive, labels, dataset, _staged_others(settings, dataset) if others is None else others)
    except DataError as error:
        if settings.archive is not None or not rendered:
            raise
        err.print(
            f"[yellow]no CIFAR-100[/]: {escape(str(error))}; rendered vehicles are used instead",
            highlight=False,
            soft_wrap=True,
        )
        return _rendered(settings, others)


def _rendered(settings: Settings, others: int | None) -> "ImageSource":
    from training.data.synthetic import SyntheticSource  # noqa: PLC0415

    return SyntheticSource(others=_staged_others(settings, SyntheticSource.dataset) if others is None else others)


def _staged_others(settings: Settings, dataset: str) -> int:
    """Return how many images of other classes the dataset was last staged with."""
    from training.data.dataset_manifest import read_manifest  # noqa: PLC0415
    from training.data.errors import NotStaged  # noqa: PLC0415

    try:
        source = read_manifest(settings.home / "data" / dataset).source
    except NotStaged:
        return 0
    found = re.search(r" others:(\d+)", source)
    return int(found[1]) if found else 0


def stage(source: "ImageSource", session: boto3.Session, settings: Settings, bucket: str, advance: Advance) -> Dataset:
    """Write the pictures of ``source`` to disk and bring them to S3; what is there already is left alone."""
    from training.data.dataset_upload import upload  # noqa: PLC0415
    from training.data.staging import stage as write  # noqa: PLC0415

    staged = write(source, settings.home / "data" / source.dataset, progress=advance, tool=f"scones {__version__}")
    prefix = f"datasets/{source.dataset}"
    s3 = session.client("s3", config=Config(max_pool_connections=_UPLOADS))
    report = upload(staged.path, s3, bucket, prefix, progress=advance, workers=_UPLOADS)
    test = staged.manifest.images("test")
    labels = {f"{prefix}/{path}": file.label for path, file in test.items() if file.label is not None}
    return Dataset(
        source.dataset, prefix, len(staged.manifest.images("train")), labels, report.uploaded, report.skipped
    )


def deploy_endpoint(  # noqa: PLR0913 - the settings of an endpoint
    session: boto3.Session,
    target: Deployed,
    *,
    model_dir: Path = SHIPPED_MODEL,
    artefact: str | None = None,
    image_uri: str,
    instance_type: str,
    capture_percent: int = 100,
    options: "EndpointOptions | None" = None,
    role_arn: str | None = None,
) -> "EndpointStatus":
    """Serve a model with data capture: a training job's artefact, or a folder that goes to S3 under its own digest.

    Raises ModelOfOtherLabels for a folder; an artefact that tells apart something else fails to start.
    """
    from training import endpoint_deployment  # noqa: PLC0415
    from training.endpoint_settings import EndpointOptions  # noqa: PLC0415

    if artefact is None:
        _check_labels(model_dir, target.labels)

    return endpoint_deployment.deploy(
        session,
        name=target.endpoint_name,
        image_uri=image_uri,
        model_data_url=artefact or _packaged(session, target.data_bucket, model_dir),
        role_arn=role_arn or target.endpoint_role_arn,
        capture_uri=f"s3://{target.data_bucket}/{CAPTURE_PREFIX}",
        capture_percent=capture_percent,
        instance_type=instance_type,
        options=replace(options or EndpointOptions(), environment=container_environment(target.labels)),
    )


def container_environment(labels: Labels) -> dict[str, str]:
    """Return what a model's container is told of the labels; vehicles go without saying."""
    return {} if labels == VEHICLES else {"LABELS": ",".join(labels)}


def _check_labels(model_dir: Path, labels: Labels) -> None:
    path = model_dir / "model.json"
    if path.is_file():  # packaging says what else is missing
        found = json.loads(path.read_text("utf-8")).get("labels")
        if found != list(labels):
            raise ModelOfOtherLabels(model_dir, found, labels)


def _packaged(session: boto3.Session, bucket: str, model_dir: Path) -> str:
    from training.vehicle_net.package import package  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as scratch:
        archive = package(model_dir, Path(scratch) / "model.tar.gz")
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()[:16]
        s3, folder = session.client("s3"), f"models/{digest}"
        s3.upload_file(str(archive), bucket, f"{folder}/model.tar.gz")
        _keep_baseline(s3, bucket, f"{folder}/{BASELINE}", model_dir / BASELINE)
    return f"s3://{bucket}/{folder}/model.tar.gz"


def _keep_baseline(s3: Any, bucket: str, key: str, path: Path) -> None:
    """Put the model's baseline beside it, but not over one that was made since, of what the endpoint captured."""
    if path.is_file() and not s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("KeyCount"):
        s3.upload_file(str(path), bucket, key)


def upload_images(s3: Any, bucket: str, prefix: str, paths: Sequence[Path], advance: Advance) -> list[executions.Image]:
    """Put local files under ``prefix`` and return them in order; their position keeps files of one name apart."""
    images = []
    for number, path in enumerate(paths):
        key = f"{prefix}/{number:05d}/{path.name}"
        s3.upload_file(str(path), bucket, key)
        images.append(executions.Image(bucket, key))
        advance(number + 1, len(paths))
    return images
