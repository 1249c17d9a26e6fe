"""The options of an endpoint, and what its model, configuration and updates are created with."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from core.s3_uris import S3Uri
from training.errors import ModelArtifactNotFound
from training.instance_types import has_local_storage
from training.sagemaker_sdk import load_sdk

BAKE_SECONDS = 300
"""How long the old instances stay after an update has shifted the traffic: an alarm rolls it back within them."""
VARIANT = "AllTraffic"
MAX_NAME_LENGTH = 63
DIGEST_LENGTH = 12


@dataclass(frozen=True)
class EndpointStatus:
    """What SageMaker reports of an endpoint; ``changed`` tells whether the call that returned this changed anything."""

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
class EndpointOptions:
    """Optional settings: KMS key, VPC, tags, alarms that roll an update back, number of instances.

    ``isolated`` runs the container without network access; ``environment`` is passed to it.
    """

    kms_key: str | None = None
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    alarms: tuple[str, ...] = ()
    instances: int = 1
    isolated: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EndpointSpec:
    """All settings of model and configuration; ``version`` is the ETag of the model artifact."""

    name: str
    image_uri: str
    model_data_url: str
    version: str
    role_arn: str
    capture_uri: str
    capture_percent: int
    instance_type: str
    options: EndpointOptions

    @property
    def resource_name(self) -> str:
        """The name of model and configuration, with a digest of the settings."""
        settings = asdict(self)
        for name in ("alarms", "tags"):  # they belong to the update and the bill, not to what serves
            del settings["options"][name]
        content = json.dumps(settings, sort_keys=True)
        digest = hashlib.sha256(content.encode()).hexdigest()[:DIGEST_LENGTH]
        return f"{name_prefix(self.name)}-{digest}"

    def model_arguments(self) -> dict[str, Any]:
        """Return the arguments of CreateModel."""
        shapes = load_sdk().shapes
        environment = {"environment": dict(self.options.environment)} if self.options.environment else {}
        arguments = {
            "model_name": self.resource_name,
            "primary_container": shapes.ContainerDefinition(
                image=self.image_uri, model_data_url=self.model_data_url, **environment
            ),
            "execution_role_arn": self.role_arn,
            "enable_network_isolation": self.options.isolated,
            **self.tags(),
        }
        if self.options.subnets:
            arguments["vpc_config"] = shapes.VpcConfig(
                subnets=list(self.options.subnets), security_group_ids=list(self.options.security_groups)
            )
        return arguments

    def config_arguments(self) -> dict[str, Any]:
        """Return the arguments of CreateEndpointConfig."""
        shapes = load_sdk().shapes
        variant = shapes.ProductionVariant(
            variant_name=VARIANT,
            model_name=self.resource_name,
            initial_instance_count=self.options.instances,
            instance_type=self.instance_type,
            initial_variant_weight=1.0,
        )
        arguments = {
            "endpoint_config_name": self.resource_name,
            "production_variants": [variant],
            **({} if has_local_storage(self.instance_type) else self._kms_key()),
            **self.tags(),
        }
        if self.capture_percent:
            arguments["data_capture_config"] = shapes.DataCaptureConfig(
                enable_capture=True,
                initial_sampling_percentage=self.capture_percent,
                destination_s3_uri=self.capture_uri,
                capture_options=[shapes.CaptureOption(capture_mode=mode) for mode in ("Input", "Output")],
                capture_content_type_header=shapes.CaptureContentTypeHeader(json_content_types=["application/json"]),
                **self._kms_key(),
            )
        return arguments

    def update_arguments(self) -> dict[str, Any]:
        """Return the arguments of UpdateEndpoint that roll the update back when an alarm goes off.

        All traffic is shifted at once; the old instances are kept for five minutes, in which the alarms decide.
        """
        if not self.options.alarms:
            return {}
        shapes = load_sdk().shapes
        policy = shapes.BlueGreenUpdatePolicy(
            traffic_routing_configuration=shapes.TrafficRoutingConfig(
                type="ALL_AT_ONCE", wait_interval_in_seconds=BAKE_SECONDS
            ),
            termination_wait_in_seconds=BAKE_SECONDS,
            maximum_execution_timeout_in_seconds=3600,
        )
        alarms = [shapes.Alarm(alarm_name=name) for name in self.options.alarms]
        rollback = shapes.AutoRollbackConfig(alarms=alarms)
        config = shapes.DeploymentConfig(blue_green_update_policy=policy, auto_rollback_configuration=rollback)
        return {"deployment_config": config}

    def tags(self) -> dict[str, Any]:
        """Return the argument ``tags``, where there are any."""
        shapes = load_sdk().shapes
        tags = [shapes.Tag(key=key, value=value) for key, value in self.options.tags.items()]
        return {"tags": tags} if tags else {}

    def _kms_key(self) -> dict[str, str]:
        return {"kms_key_id": self.options.kms_key} if self.options.kms_key else {}


def artifact_version(session: boto3.Session, uri: str) -> str:
    """Return the ETag of the model artifact; an empty string where the caller may not read it.

    Raises ModelArtifactNotFound.
    """
    artifact = S3Uri.parse(uri)
    client = session.client("s3", config=Config(retries={"total_max_attempts": 2}))
    try:
        return str(client.head_object(Bucket=artifact.bucket, Key=artifact.key)["ETag"])
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            raise ModelArtifactNotFound(uri) from error
        return ""


def name_prefix(endpoint: str) -> str:
    """Return the prefix of the names of the endpoint's model and configuration, unique to the endpoint."""
    max_length = MAX_NAME_LENGTH - DIGEST_LENGTH - 1
    if len(endpoint) <= max_length:
        return endpoint
    return f"{endpoint[: max_length - 9]}-{hashlib.sha256(endpoint.encode()).hexdigest()[:8]}"
