"""The options of an endpoint, and its status."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


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
