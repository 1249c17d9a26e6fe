"""An endpoint in plain values: how it is, what it may have, how long to wait for it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


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
class Options:
    """What an endpoint need not have: keys, a VPC, tags, alarms that roll an update back, more instances than one.

    ``environment`` is what the model's container is told.
    """

    kms_key: str | None = None
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    alarms: tuple[str, ...] = ()
    instances: int = 1
    isolated: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)
