"""The real-time endpoint: deploy a packaged model, see how it is, take it down; the same calls on AWS and offline.

An endpoint ``vehicles`` has a model and a configuration named ``vehicles-<digest>``, where the digest is taken over all
that they are made of: deploying the same again changes nothing, anything else is an update without downtime.
"""

import hashlib
import json
import logging
import re
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from training.errors import (
    ArtefactMissing,
    EndpointFailed,
    EndpointMissing,
    EndpointTimeout,
    existing_is_fine,
    is_missing,
    missing_is_fine,
    translated,
)

VARIANT = "AllTraffic"
Resource: TypeAlias = Any  # one of the SDK's, which has no types
_MAX_NAME = 63
_DIGEST = 12
_MOVING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})


@dataclass(frozen=True)
class EndpointStatus:
    """How an endpoint is; ``changed`` says whether the call that returned this had anything to do."""

    name: str
    arn: str
    status: str
    config_name: str
    model_name: str | None
    image_uri: str | None
    model_data_url: str | None
    instance_type: str | None
    capture_uri: str | None
    capture_percent: int
    created: datetime
    modified: datetime
    failure_reason: str | None = None
    changed: bool = False


@dataclass(frozen=True)
class Patience:
    """How long to wait for SageMaker, and how; polls ever less often, so that seconds and half hours both suit."""

    seconds: float = 1800.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True)
class _Wanted:
    """All that model and configuration are made of; ``version`` tells archives at one URL apart."""

    name: str
    image_uri: str
    model_data_url: str
    version: str
    role_arn: str
    capture_uri: str
    capture_percent: int
    instance_type: str

    @property
    def resource_name(self) -> str:
        """The name of model and configuration."""
        content = json.dumps(asdict(self), sort_keys=True)
        digest = hashlib.sha256(content.encode()).hexdigest()[:_DIGEST]
        return f"{_stem(self.name)}-{digest}"


_DEFAULT_PATIENCE = Patience()


def deploy(  # noqa: PLR0913 - the settings of an endpoint
    session: boto3.Session,
    *,
    name: str,
    image_uri: str,
    model_data_url: str,
    role_arn: str,
    capture_uri: str,
    capture_percent: int = 100,
    instance_type: str = "ml.m5.xlarge",
    patience: Patience = _DEFAULT_PATIENCE,
) -> EndpointStatus:
    """Bring the endpoint into service with this model and configuration, and return it once it is.

    Creates it, updates it, replaces one that failed, or finds that there is nothing to do. Images and answers are
    captured to ``capture_uri``, ``capture_percent`` of them; 0 captures nothing. Raises a HostingError.
    """
    with translated("deploy"):
        version = _version(session, model_data_url)
        wanted = _Wanted(
            name, image_uri, model_data_url, version, role_arn, capture_uri, capture_percent, instance_type
        )
        place = _place(session)
        endpoint = _settled(session, name, patience)
        if endpoint is not None and endpoint.endpoint_status == "Failed":
            _delete_endpoint(session, endpoint, patience)
            endpoint = None
        if endpoint is not None and endpoint.endpoint_config_name == wanted.resource_name:
            return _describe(session, endpoint)
        _create_config(session, wanted)
        if endpoint is None:
            core, _ = _sdk()
            core.Endpoint.create(endpoint_name=name, endpoint_config_name=wanted.resource_name, **place)
        else:
            endpoint.endpoint_config_name = wanted.resource_name
            endpoint.update()
        return _arrived(session, wanted, patience)


def status(session: boto3.Session, name: str) -> EndpointStatus:
    """Return how the endpoint is; raise EndpointMissing where there is none."""
    with translated("status"):
        endpoint = _find(session, name)
        if endpoint is None:
            raise EndpointMissing(name)
        return _describe(session, endpoint)


def delete(session: boto3.Session, name: str, patience: Patience = _DEFAULT_PATIENCE) -> list[str]:
    """Delete the endpoint and every configuration and model that was made for it; return the names of what is gone.

    Captures in S3 stay. Raises EndpointMissing where there was nothing at all.
    """
    with translated("delete"):
        endpoint = _settled(session, name, patience)
        gone = [] if endpoint is None else [name]
        if endpoint is not None:
            _delete_endpoint(session, endpoint, patience)
        gone += _delete_leftovers(session, name, keep=None)
        if not gone:
            raise EndpointMissing(name)
        return gone


def _arrived(session: boto3.Session, wanted: _Wanted, patience: Patience) -> EndpointStatus:
    """Wait for the wanted configuration to serve; clean up after it, or after its failure."""
    endpoint = _settled(session, wanted.name, patience)
    if endpoint is None:
        raise EndpointFailed(wanted.name, "gone", "somebody deleted it meanwhile")
    serving = str(endpoint.endpoint_config_name)
    if endpoint.endpoint_status == "InService" and serving == wanted.resource_name:
        _delete_leftovers(session, wanted.name, keep=serving)
        return _describe(session, endpoint, changed=True)
    reason = str(endpoint.failure_reason or "SageMaker gives no reason")
    if endpoint.endpoint_status == "InService":  # rolled back: what served before still does
        _delete_leftovers(session, wanted.name, keep=serving)
        raise EndpointFailed(wanted.name, "back on what served before", reason)
    raise EndpointFailed(wanted.name, str(endpoint.endpoint_status), reason)


def _create_config(session: boto3.Session, wanted: _Wanted) -> None:
    core, shapes = _sdk()
    place, name = _place(session), wanted.resource_name
    capture = shapes.DataCaptureConfig(
        enable_capture=True,
        initial_sampling_percentage=wanted.capture_percent,
        destination_s3_uri=wanted.capture_uri,
        capture_options=[shapes.CaptureOption(capture_mode=mode) for mode in ("Input", "Output")],
        capture_content_type_header=shapes.CaptureContentTypeHeader(json_content_types=["application/json"]),
    )
    with existing_is_fine():
        core.Model.create(
            model_name=name,
            primary_container=shapes.ContainerDefinition(image=wanted.image_uri, model_data_url=wanted.model_data_url),
            execution_role_arn=wanted.role_arn,
            **place,
        )
    with existing_is_fine():
        core.EndpointConfig.create(
            endpoint_config_name=name,
            production_variants=[
                shapes.ProductionVariant(
                    variant_name=VARIANT,
                    model_name=name,
                    initial_instance_count=1,
                    instance_type=wanted.instance_type,
                    initial_variant_weight=1.0,
                )
            ],
            **({"data_capture_config": capture} if wanted.capture_percent else {}),
            **place,
        )


def _find(session: boto3.Session, name: str) -> Resource | None:
    core, _ = _sdk()
    return _get(core.Endpoint, endpoint_name=name, **_place(session))


def _get(kind: Resource, **arguments: object) -> Resource | None:
    try:
        return kind.get(**arguments)
    except ClientError as error:
        if is_missing(error):
            return None
        raise


def _settled(session: boto3.Session, name: str, patience: Patience) -> Resource | None:
    """Return the endpoint once nothing moves any more; None where there is none."""
    started = patience.clock()
    endpoint = _find(session, name)
    while endpoint is not None and endpoint.endpoint_status in _MOVING:
        waited = patience.clock() - started
        if waited > patience.seconds:
            raise EndpointTimeout(name, str(endpoint.endpoint_status), waited)
        patience.sleep(min(10.0, 0.2 + waited / 10))
        endpoint = _find(session, name)
    return endpoint


def _delete_endpoint(session: boto3.Session, endpoint: Resource, patience: Patience) -> None:
    name = str(endpoint.endpoint_name)
    with missing_is_fine():
        endpoint.delete()
    if _settled(session, name, patience) is not None:
        raise EndpointFailed(name, "still there", "SageMaker did not delete it")


def _delete_leftovers(session: boto3.Session, name: str, keep: str | None) -> list[str]:
    core, _ = _sdk()
    place, pattern = _place(session), re.compile(rf"{re.escape(_stem(name))}-[0-9a-f]{{{_DIGEST}}}")
    gone = []
    for kind, member in ((core.EndpointConfig, "endpoint_config_name"), (core.Model, "model_name")):
        for found in list(kind.get_all(name_contains=_stem(name), **place)):
            resource = getattr(found, member)
            if pattern.fullmatch(resource) and resource != keep:
                with missing_is_fine():
                    found.delete()
                gone.append(resource)
    return gone


def _describe(session: boto3.Session, endpoint: Resource, *, changed: bool = False) -> EndpointStatus:
    """Gather what the endpoint is made of; its configuration and model may have been deleted under it."""
    core, _ = _sdk()
    place = _place(session)
    config = _get(core.EndpointConfig, endpoint_config_name=endpoint.endpoint_config_name, **place)
    variant = config.production_variants[0] if config else None
    model = _get(core.Model, model_name=variant.model_name, **place) if variant else None
    capture = (config and config.data_capture_config) or None
    return EndpointStatus(
        name=str(endpoint.endpoint_name),
        arn=str(endpoint.endpoint_arn),
        status=str(endpoint.endpoint_status),
        config_name=str(endpoint.endpoint_config_name),
        model_name=str(variant.model_name) if variant else None,
        image_uri=str(model.primary_container.image) if model else None,
        model_data_url=str(model.primary_container.model_data_url) if model else None,
        instance_type=str(variant.instance_type) if variant else None,
        capture_uri=str(capture.destination_s3_uri) if capture else None,
        capture_percent=int(capture.initial_sampling_percentage) if capture else 0,
        created=endpoint.creation_time,
        modified=endpoint.last_modified_time,
        failure_reason=str(endpoint.failure_reason) if endpoint.failure_reason else None,
        changed=changed,
    )


def _version(session: boto3.Session, url: str) -> str:
    """Return what tells this archive from another at the same URL; none where this caller may not look."""
    parts = urlsplit(url)
    client = session.client("s3", config=Config(retries={"total_max_attempts": 2}))
    try:
        return str(client.head_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))["ETag"])
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            raise ArtefactMissing(url) from error
        return ""


def _stem(name: str) -> str:
    """Return what the names of the endpoint's model and configurations begin with; no two endpoints share one."""
    room = _MAX_NAME - _DIGEST - 1
    if len(name) <= room:
        return name
    return f"{name[: room - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _place(session: boto3.Session) -> dict[str, Any]:
    return {"session": session, "region": session.region_name}


def _sdk() -> tuple[Any, Any]:
    """Return the SDK's resources and shapes; imported at first use, since that takes seconds."""
    logging.getLogger("sagemaker").setLevel(logging.ERROR)  # it reports every step and configuration file at INFO
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its docstrings hold escapes that Python warns of when it compiles them
        from sagemaker.core import resources, shapes  # noqa: PLC0415
    return resources, shapes
