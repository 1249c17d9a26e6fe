"""The real-time endpoint: deploy a packaged model, see how it is, take it down; the same calls on AWS and offline.

An endpoint ``vehicles`` has a model and a configuration named ``vehicles-<digest>``, where the digest is taken over all
that they are made of: deploying the same again changes nothing, anything else is an update without downtime.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from training.endpoint_naming import DIGEST, stem, version
from training.endpoint_settings import EndpointStatus, Options, Patience
from training.errors import (
    EndpointFailed,
    EndpointMissing,
    EndpointTimeout,
    existing_is_fine,
    is_missing,
    missing_is_fine,
    translated,
)
from training.sagemaker_sdk import Resource, sdk
from training.sagemaker_sdk import place as in_place

VARIANT = "AllTraffic"
_MOVING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})


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
    options: Options

    @property
    def resource_name(self) -> str:
        """The name of model and configuration."""
        made_of = asdict(self)
        for name in ("alarms", "tags"):  # what watches an update, and what names it, is no part of what serves
            del made_of["options"][name]
        content = json.dumps(made_of, sort_keys=True)
        digest = hashlib.sha256(content.encode()).hexdigest()[:DIGEST]
        return f"{stem(self.name)}-{digest}"


_DEFAULT_PATIENCE = Patience()
_DEFAULT_OPTIONS = Options()


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
    options: Options = _DEFAULT_OPTIONS,
    patience: Patience = _DEFAULT_PATIENCE,
) -> EndpointStatus:
    """Bring the endpoint into service with this model and configuration, and return it once it is.

    Creates it, updates it, replaces one that failed, or finds that there is nothing to do. Images and answers are
    captured to ``capture_uri``, ``capture_percent`` of them; 0 captures nothing. An update is blue/green, and goes back
    when one of the alarms sounds. Raises a HostingError.
    """
    with translated("deploy"):
        digest = version(session, model_data_url)
        wanted = _Wanted(
            name, image_uri, model_data_url, digest, role_arn, capture_uri, capture_percent, instance_type, options
        )
        place = in_place(session)
        endpoint = _settled(session, name, patience)
        if endpoint is not None and endpoint.endpoint_status == "Failed":
            _delete_endpoint(session, endpoint, patience)
            endpoint = None
        if endpoint is not None and endpoint.endpoint_config_name == wanted.resource_name:
            return _describe(session, endpoint)
        _create_config(session, wanted)
        if endpoint is None:
            core, _ = sdk()
            core.Endpoint.create(
                endpoint_name=name, endpoint_config_name=wanted.resource_name, **_tags(options), **place
            )
        else:
            endpoint.endpoint_config_name = wanted.resource_name
            endpoint.update(**_blue_green(options))
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
    core, shapes = sdk()
    place, name, options = in_place(session), wanted.resource_name, wanted.options
    key = {"kms_key_id": options.kms_key} if options.kms_key else {}
    capture = shapes.DataCaptureConfig(
        enable_capture=True,
        initial_sampling_percentage=wanted.capture_percent,
        destination_s3_uri=wanted.capture_uri,
        capture_options=[shapes.CaptureOption(capture_mode=mode) for mode in ("Input", "Output")],
        capture_content_type_header=shapes.CaptureContentTypeHeader(json_content_types=["application/json"]),
        **key,
    )
    with existing_is_fine():
        core.Model.create(
            model_name=name,
            primary_container=shapes.ContainerDefinition(
                image=wanted.image_uri,
                model_data_url=wanted.model_data_url,
                **({"environment": dict(options.environment)} if options.environment else {}),
            ),
            execution_role_arn=wanted.role_arn,
            enable_network_isolation=options.isolated,
            **(
                {
                    "vpc_config": shapes.VpcConfig(
                        subnets=list(options.subnets), security_group_ids=list(options.security_groups)
                    )
                }
                if options.subnets
                else {}
            ),
            **_tags(options),
            **place,
        )
    with existing_is_fine():
        core.EndpointConfig.create(
            endpoint_config_name=name,
            production_variants=[
                shapes.ProductionVariant(
                    variant_name=VARIANT,
                    model_name=name,
                    initial_instance_count=options.instances,
                    instance_type=wanted.instance_type,
                    initial_variant_weight=1.0,
                )
            ],
            **({"data_capture_config": capture} if wanted.capture_percent else {}),
            **key,
            **_tags(options),
            **place,
        )


def _tags(options: Options) -> dict[str, Any]:
    _, shapes = sdk()
    return {"tags": [shapes.Tag(key=key, value=value) for key, value in options.tags.items()]} if options.tags else {}


def _blue_green(options: Options) -> dict[str, Any]:
    """All traffic at once to the new fleet; the old one stays five minutes for the alarms to call it back."""
    if not options.alarms:
        return {}
    _, shapes = sdk()
    routing = shapes.TrafficRoutingConfig(type="ALL_AT_ONCE", wait_interval_in_seconds=300)
    policy = shapes.BlueGreenUpdatePolicy(
        traffic_routing_configuration=routing,
        termination_wait_in_seconds=300,
        maximum_execution_timeout_in_seconds=3600,
    )
    alarms = [shapes.Alarm(alarm_name=name) for name in options.alarms]
    rollback = shapes.AutoRollbackConfig(alarms=alarms)
    config = shapes.DeploymentConfig(blue_green_update_policy=policy, auto_rollback_configuration=rollback)
    return {"deployment_config": config}


def _find(session: boto3.Session, name: str) -> Resource | None:
    core, _ = sdk()
    return _get(core.Endpoint, endpoint_name=name, **in_place(session))


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
    core, _ = sdk()
    place, pattern = in_place(session), re.compile(rf"{re.escape(stem(name))}-[0-9a-f]{{{DIGEST}}}")
    gone = []
    for kind, member in ((core.EndpointConfig, "endpoint_config_name"), (core.Model, "model_name")):
        for found in list(kind.get_all(name_contains=stem(name), **place)):
            resource = getattr(found, member)
            if pattern.fullmatch(resource) and resource != keep:
                with missing_is_fine():
                    found.delete()
                gone.append(resource)
    return gone


def _describe(session: boto3.Session, endpoint: Resource, *, changed: bool = False) -> EndpointStatus:
    """Gather what the endpoint is made of; its configuration and model may have been deleted under it."""
    core, _ = sdk()
    place = in_place(session)
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
