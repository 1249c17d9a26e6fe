"""The settings of a command, read from the environment: no other module of the CLI reads it."""

import os
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from core.defaults import REGION
from core.labels import Labels, parse_labels
from orchestration.errors import InvalidStackName
from orchestration.names import check_stack_name
from scones.errors import InvalidSetting, UnknownTarget

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
ROOT = Path(__file__).resolve().parent.parent


class Target(StrEnum):
    """Where commands act. The difference is endpoint URLs and credentials, never code."""

    LOCAL = "local"
    AWS = "aws"


@dataclass(frozen=True)
class Settings:
    """The settings of one command.

    ``stack`` names the CloudFormation stack; every other name derives from it. ``home`` holds this checkout's state
    (logs, staged data), ``cache`` what all checkouts share (downloads, LocalStack's environment). ``archive`` is the
    CIFAR-100 archive, when one was named. ``labels`` are what a stack is to tell apart; None leaves that to the stack.
    """

    target: Target = Target.LOCAL
    stack: str = "scones"
    region: str | None = None
    home: Path = Path(".scones")
    cache: Path = Path("~/.cache/scones")
    archive: Path | None = None
    labels: Labels | None = None
    localstack_url: str = "http://127.0.0.1:4566"
    sagemaker_url: str = "http://127.0.0.1:8080"
    localstack_port: int | None = None
    sagemaker_port: int | None = None

    @property
    def default_endpoint_name(self) -> str:
        """The name that a new stack gives its SageMaker endpoint; an existing stack has its own among its outputs."""
        return f"{self.stack}-vehicles"

    @property
    def local_region(self) -> str:
        """The region of the local target, which has no profile that could name one."""
        return self.region or REGION

    @property
    def datasets(self) -> Path:
        """The folder of the datasets that were written to disk, one folder each."""
        return self.home / "data"

    @property
    def poll_seconds(self) -> float:
        """How often CloudFormation is polled: often where it is on this machine."""
        return 0.2 if self.target is Target.LOCAL else 3.0

    @property
    def services(self) -> Path:
        """The folder of the three Lambda services."""
        return ROOT / "services"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings; whatever the environment does not name keeps its default.

        Raises InvalidSetting for a value that is empty or malformed, UnknownTarget, InvalidLabels.
        """
        _require_number(environ, "AWS_MAX_ATTEMPTS")
        labels = _value(environ, "SCONES_LABELS")
        stack = _value(environ, "SCONES_STACK")
        return cls(
            target=_target(_value(environ, "SCONES_TARGET") or Target.LOCAL),
            stack=cls.stack if stack is None else valid_stack(stack, "SCONES_STACK"),
            region=(environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "").rstrip("\r") or None,
            home=_path(environ, "SCONES_HOME") or ROOT / ".scones",
            cache=_path(environ, "SCONES_CACHE") or Path(platformdirs.user_cache_dir("scones")),
            archive=_path(environ, "SCONES_CIFAR100"),
            labels=None if labels is None else parse_labels(labels),
            localstack_url=_url(environ, "LOCALSTACK", cls.localstack_url),
            sagemaker_url=_url(environ, "SAGEMAKER", cls.sagemaker_url),
            localstack_port=_port(environ, "LOCALSTACK"),
            sagemaker_port=_port(environ, "SAGEMAKER"),
        )


def valid_stack(name: str, setting: str) -> str:
    """Return a stack's name. Raises InvalidSetting if no stack of ours could have it."""
    try:
        check_stack_name(name)
    except InvalidStackName as error:
        raise InvalidSetting(setting, name, error.rule) from error
    return name


def bypass_proxies(settings: Settings, environ: MutableMapping[str, str] = os.environ) -> None:
    """Keep every client of this process, and of those that it starts, from reaching the local environment by a proxy.

    boto3, httpx and urllib all read NO_PROXY; what it names already stays.
    """
    hosts = [*_LOOPBACK, *(str(urlsplit(url).hostname) for url in (settings.localstack_url, settings.sagemaker_url))]
    named = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    value = ",".join(dict.fromkeys([*filter(None, map(str.strip, named.split(","))), *hosts]))
    environ["NO_PROXY"] = environ["no_proxy"] = value


def _value(environ: Mapping[str, str], name: str) -> str | None:
    """Return a variable without the CR of a Windows line end, or None if it is not set.

    Raises InvalidSetting if it is empty.
    """
    value = environ.get(name)
    if value is not None and not value.strip():
        raise InvalidSetting(name, value, "it is empty: set a value or unset it")
    return None if value is None else value.rstrip("\r")


def _require_number(environ: Mapping[str, str], name: str) -> None:
    """Raise InvalidSetting for what botocore would raise a ValueError for in the middle of a command."""
    value = environ.get(name)
    if value and not (value.strip().isascii() and value.strip().isdecimal()):
        raise InvalidSetting(name, value, "it is not a number: correct or unset it")


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    value = _value(environ, name)
    try:
        return None if value is None else Path(value).expanduser().absolute()
    except RuntimeError:
        raise InvalidSetting(name, str(value), "it names the home of a user who does not exist") from None


def _url(environ: Mapping[str, str], part: str, default: str) -> str:
    """Return the URL that is set, else this machine at the port that docker-compose.yml publishes, else the default."""
    name, port = f"SCONES_{part}_URL", _port(environ, part)
    url = _value(environ, name)
    if url is None:
        return default if port is None else f"http://127.0.0.1:{port}"
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_valid = False
    if not is_valid:
        raise InvalidSetting(name, url, "write a URL such as http://127.0.0.1:4566")
    return url.rstrip("/")


def _port(environ: Mapping[str, str], part: str) -> int | None:
    """Return the port at which `scones up` starts a part; None for the usual one, or any that is free."""
    name = f"SCONES_{part}_PORT"
    value = _value(environ, name)
    if value is None:
        return None
    if not (value.isascii() and value.isdecimal() and len(value) <= 5 and 1 <= int(value) <= 65535):
        raise InvalidSetting(name, value, "a port is a number from 1 to 65535")
    return int(value)


def _target(name: str) -> Target:
    try:
        return Target(name)
    except ValueError:
        raise UnknownTarget(name, list(Target)) from None
