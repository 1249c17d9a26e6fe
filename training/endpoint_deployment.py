"""Deploys, describes and deletes a real-time endpoint, by the same calls on AWS and offline.

Model and configuration of an endpoint ``vehicles`` are named ``vehicles-<digest>``, a digest of all their settings:
deploying the same again changes nothing; anything else is an update without downtime.
"""

import re

import boto3
from botocore.exceptions import ClientError

from core.defaults import ENDPOINT_INSTANCE_TYPE
from core.waiting import WaiterConfig
from training.endpoint_autoscaling import deregister_scaling
from training.endpoint_spec import (
    DIGEST_LENGTH,
    VARIANT,
    EndpointOptions,
    EndpointSpec,
    EndpointStatus,
    artifact_version,
    name_prefix,
)
from training.endpoint_ttl import cancel_deletion
from training.errors import (
    EndpointFailed,
    EndpointNotFound,
    EndpointTimeout,
    ignore_existing,
    ignore_missing,
    is_missing,
    translate_errors,
)
from training.sagemaker_sdk import Resource, client_kwargs, load_sdk

_TRANSITIONAL = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
ENDPOINT_WAITER = WaiterConfig(poll_seconds=10.0)
_DEFAULT_OPTIONS = EndpointOptions()


def deploy(  # noqa: PLR0913 - the settings of an endpoint
    session: boto3.Session,
    *,
    name: str,
    image_uri: str,
    model_data_url: str,
    role_arn: str,
    capture_uri: str,
    capture_percent: int = 100,
    instance_type: str = ENDPOINT_INSTANCE_TYPE,
    options: EndpointOptions = _DEFAULT_OPTIONS,
    waiter: WaiterConfig = ENDPOINT_WAITER,
) -> EndpointStatus:
    """Create or update the endpoint, and return its status once it is in service.

    An endpoint that failed is replaced. ``capture_percent`` of the invocations are captured to ``capture_uri``, with 0
    none. An update is blue/green and is rolled back when one of the alarms is in ALARM. Raises a SageMakerError.
    """
    with translate_errors("deploy"):
        spec = EndpointSpec(
            name=name,
            image_uri=image_uri,
            model_data_url=model_data_url,
            version=artifact_version(session, model_data_url),
            role_arn=role_arn,
            capture_uri=capture_uri,
            capture_percent=capture_percent,
            instance_type=instance_type,
            options=options,
        )
        endpoint = _wait_until_settled(session, name, waiter)
        if endpoint is not None and endpoint.endpoint_status == "Failed":
            _delete_endpoint(session, endpoint, waiter)
            endpoint = None
        if endpoint is not None and endpoint.endpoint_config_name == spec.resource_name:
            return _describe(session, endpoint)
        _create_model_and_config(session, spec)
        if endpoint is None:
            resources = load_sdk().resources
            resources.Endpoint.create(
                endpoint_name=name,
                endpoint_config_name=spec.resource_name,
                **spec.tags(),
                **client_kwargs(session),
            )
        else:
            endpoint.endpoint_config_name = spec.resource_name
            endpoint.update(**spec.update_arguments())
        return _wait_until_deployed(session, spec, waiter)


def status(session: boto3.Session, name: str) -> EndpointStatus:
    """Return the endpoint's status. Raises EndpointNotFound."""
    with translate_errors("status"):
        endpoint = _find_endpoint(session, name)
        if endpoint is None:
            raise EndpointNotFound(name)
        return _describe(session, endpoint)


def delete(session: boto3.Session, name: str, waiter: WaiterConfig = ENDPOINT_WAITER) -> list[str]:
    """Delete the endpoint with its configurations, models, scaling and scheduled deletion; return what was deleted.

    Captures in S3 are kept.
    """
    deregister_scaling(session.client("application-autoscaling"), name, VARIANT)
    with translate_errors("delete"):
        endpoint = _wait_until_settled(session, name, waiter)
        deleted = [] if endpoint is None else [name]
        if endpoint is not None:
            _delete_endpoint(session, endpoint, waiter)
        deleted += _delete_unused(session, name, used=None)
    cancel_deletion(session.client("scheduler"), name)  # last: a deletion that is interrupted still happens on schedule
    return deleted


def _wait_until_deployed(session: boto3.Session, spec: EndpointSpec, waiter: WaiterConfig) -> EndpointStatus:
    """Wait until the new configuration serves, and delete the old one; after a failure, delete the new one."""
    endpoint = _wait_until_settled(session, spec.name, waiter)
    if endpoint is None:
        raise EndpointFailed(spec.name, "gone", "it was deleted during the update")
    config_name = str(endpoint.endpoint_config_name)
    if endpoint.endpoint_status == "InService" and config_name == spec.resource_name:
        _delete_unused(session, spec.name, used=config_name)
        return _describe(session, endpoint, changed=True)
    reason = str(endpoint.failure_reason or "SageMaker gives no reason")
    if endpoint.endpoint_status == "InService":
        _delete_unused(session, spec.name, used=config_name)
        raise EndpointFailed(spec.name, "rolled back to the previous configuration", reason)
    raise EndpointFailed(spec.name, str(endpoint.endpoint_status), reason)


def _create_model_and_config(session: boto3.Session, spec: EndpointSpec) -> None:
    resources = load_sdk().resources
    with ignore_existing():
        resources.Model.create(**spec.model_arguments(), **client_kwargs(session))
    with ignore_existing():
        resources.EndpointConfig.create(**spec.config_arguments(), **client_kwargs(session))


def _find_endpoint(session: boto3.Session, name: str) -> Resource | None:
    resources = load_sdk().resources
    return _find(resources.Endpoint, endpoint_name=name, **client_kwargs(session))


def _find(kind: Resource, **arguments: object) -> Resource | None:
    try:
        return kind.get(**arguments)
    except ClientError as error:
        if is_missing(error):
            return None
        raise


def _wait_until_settled(session: boto3.Session, name: str, waiter: WaiterConfig) -> Resource | None:
    """Return the endpoint once its status is final, or None if there is no endpoint.

    Polls often at first: an emulated endpoint takes a second, one on AWS minutes.
    """
    started = waiter.clock()
    endpoint = _find_endpoint(session, name)
    while endpoint is not None and endpoint.endpoint_status in _TRANSITIONAL:
        waited = waiter.clock() - started
        if waited > waiter.timeout_seconds:
            raise EndpointTimeout(name, str(endpoint.endpoint_status), waited)
        waiter.sleep(min(waiter.poll_seconds, 0.2 + waited / 10))
        endpoint = _find_endpoint(session, name)
    return endpoint


def _delete_endpoint(session: boto3.Session, endpoint: Resource, waiter: WaiterConfig) -> None:
    name = str(endpoint.endpoint_name)
    with ignore_missing():
        endpoint.delete()
    if _wait_until_settled(session, name, waiter) is not None:
        raise EndpointFailed(name, "not deleted", "SageMaker did not delete it")


def _delete_unused(session: boto3.Session, name: str, used: str | None) -> list[str]:
    """Delete the endpoint's configurations and models but those named ``used``."""
    resources = load_sdk().resources
    prefix = name_prefix(name)
    pattern = re.compile(rf"{re.escape(prefix)}-[0-9a-f]{{{DIGEST_LENGTH}}}")
    deleted = []
    for kind, attribute in ((resources.EndpointConfig, "endpoint_config_name"), (resources.Model, "model_name")):
        for resource in list(kind.get_all(name_contains=prefix, **client_kwargs(session))):
            resource_name = getattr(resource, attribute)
            if pattern.fullmatch(resource_name) and resource_name != used:
                with ignore_missing():
                    resource.delete()
                deleted.append(resource_name)
    return deleted


def _describe(session: boto3.Session, endpoint: Resource, *, changed: bool = False) -> EndpointStatus:
    """Collect the status; configuration and model may have been deleted while the endpoint serves."""
    resources = load_sdk().resources
    kwargs = client_kwargs(session)
    config = _find(resources.EndpointConfig, endpoint_config_name=endpoint.endpoint_config_name, **kwargs)
    variant = config.production_variants[0] if config else None
    model = _find(resources.Model, model_name=variant.model_name, **kwargs) if variant else None
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
