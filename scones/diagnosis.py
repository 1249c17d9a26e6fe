"""The checks of `scones doctor`: what each mode needs, and what to do if it is missing."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as ConnectionFailed

from emulation.localstack.environment import environment_at
from emulation.processes.background import status
from emulation.processes.child_processes import is_healthy
from emulation.processes.components import LOCALSTACK_HEALTH, SAGEMAKER_HEALTH
from emulation.processes.ports import is_free
from emulation.sagemaker.training.torch_environment import find_torch
from scones.context import ADVISORY, aws_session
from scones.errors import WebPageReturned
from scones.settings import Settings
from training.data.cifar_download import OFFICIAL
from training.errors import QuotaTooLow
from training.instance_types import Use, check_quota

MIN_PYTHON = (3, 11)
MIN_FREE_BYTES = 3_000_000_000
"""The environments, LocalStack and a staged dataset, with room to work."""
LAMBDA_CONCURRENCY = 48
"""Three functions for each of the sixteen images that a batch has in progress by default."""


class Mode(StrEnum):
    """Ways to run the pipeline."""

    LAPTOP = "laptop"
    DOCKER = "docker"
    AWS = "aws"


class CheckStatus(StrEnum):
    """Whether the mode works; a warning is about something that the mode does not need."""

    OK = "good"
    WARNING = "advice"
    ERROR = "bad"


@dataclass(frozen=True)
class Finding:
    """The result of one check; ``detail`` says what to do about it."""

    check: str
    status: CheckStatus
    detail: str

    def to_dict(self, mode: Mode) -> dict[str, str]:
        """Return the finding for a mode, with the keys of `scones doctor --json`."""
        return {"mode": mode, "what": self.check, "verdict": self.status, "found": self.detail}


def laptop(settings: Settings) -> Iterator[Finding]:
    """What `scones demo` and `scones up` need."""
    version = ".".join(map(str, sys.version_info[:3]))
    enough = sys.version_info >= MIN_PYTHON
    yield Finding("Python", _ok_if(enough), f"{version}; 3.11 or newer is needed")
    yield _disk(settings.home)
    yield _writable("home", settings.home, "--home or SCONES_HOME")
    yield _writable("cache", settings.cache, "SCONES_CACHE")
    yield _writable("results", Path("out").absolute(), "--out")
    yield from _proxies()
    running = status(settings.home).running
    for name, url, path in (
        ("LocalStack", settings.localstack_url, LOCALSTACK_HEALTH),
        ("SageMaker emulator", settings.sagemaker_url, SAGEMAKER_HEALTH),
    ):
        yield _port(name, url, path, running=running)
    exists = environment_at(settings.cache).exists()
    missing = "not created yet: the first `scones up` or `scones demo` creates it in about a minute"
    its_status = CheckStatus.OK if exists else CheckStatus.WARNING
    yield Finding("LocalStack's environment", its_status, "created" if exists else missing)
    yield _torch(settings)
    yield _cifar(settings)


def docker(settings: Settings) -> Iterator[Finding]:
    """What `docker compose up` and `scones images` need."""
    yield _engine()
    yield _compose()
    yield _disk(settings.home)


def aws(settings: Settings) -> Iterator[Finding]:
    """What `--target aws` needs: credentials, region and quotas of the account."""
    try:
        session = aws_session(settings)
    except BotoCoreError as error:  # a profile that does not exist, a file that is damaged
        detail = f"{' '.join(str(error).split())}: correct AWS_PROFILE or ~/.aws/config"
        yield Finding("profile", CheckStatus.ERROR, detail)
        return
    region = session.region_name
    yield Finding("region", CheckStatus.OK, f"{region}; AWS_REGION chooses another")
    try:
        who = session.client("sts", config=ADVISORY).get_caller_identity()
    except (BotoCoreError, ClientError, WebPageReturned) as error:
        is_network = isinstance(error, ConnectionFailed | HTTPClientError | WebPageReturned)
        hint = "check the network and HTTPS_PROXY" if is_network else "set AWS_PROFILE or run `aws configure`"
        detail = f"{' '.join(str(error).split())}: {hint}"
        yield Finding("credentials", CheckStatus.ERROR, detail)
        return
    yield Finding("credentials", CheckStatus.OK, f"account {who['Account']}, {who['Arn']}")
    quotas = session.client("service-quotas", config=ADVISORY)
    uses: tuple[tuple[str, Use], ...] = (("ml.m5.xlarge", "endpoint"), ("ml.g5.xlarge", "training job"))
    for instance_type, use in uses:
        yield quota(quotas, instance_type, use, region)
    yield function_concurrency(quotas)
    yield _engine()


def quota(client: Any, instance_type: str, use: Use, region: str) -> Finding:
    """Whether the account may start such an instance; if the quota cannot be read, the deployment will tell."""
    check = f"quota: {instance_type}, {use}"
    try:
        count = check_quota(client, instance_type, use, region)
    except QuotaTooLow as error:
        return Finding(check, CheckStatus.ERROR, str(error))
    if count is None:
        return Finding(check, CheckStatus.WARNING, "unknown: allow servicequotas:ListServiceQuotas to read it")
    if use == "endpoint" and count < 2:
        detail = "1: an update starts a second instance before it stops the first, and needs a quota of 2"
        return Finding(check, CheckStatus.WARNING, detail)
    return Finding(check, CheckStatus.OK, f"{count:g}")


def function_concurrency(client: Any) -> Finding:
    """Whether the quota allows the concurrency of a batch; that of a new account is reduced."""
    check = "quota: concurrent Lambda executions"
    try:
        count = client.get_service_quota(ServiceCode="lambda", QuotaCode="L-B99A9384")["Quota"]["Value"]
    except (BotoCoreError, ClientError):
        return Finding(check, CheckStatus.WARNING, "unknown: allow servicequotas:GetServiceQuota to read it")
    if count < LAMBDA_CONCURRENCY:
        fitting = max(1, int(count) // 3)
        detail = f"{count:g}, as in a new account: request more, or deploy with --parameter BatchConcurrency={fitting}"
        return Finding(check, CheckStatus.WARNING, detail)
    return Finding(check, CheckStatus.OK, f"{count:g}")


CHECKS: dict[Mode, Callable[[Settings], Iterator[Finding]]] = {
    Mode.LAPTOP: laptop,
    Mode.DOCKER: docker,
    Mode.AWS: aws,
}


def _ok_if(passed: bool) -> CheckStatus:
    return CheckStatus.OK if passed else CheckStatus.ERROR


def _disk(folder: Path) -> Finding:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    detail = f"{free / 1e9:.0f} GB free at {existing}; {MIN_FREE_BYTES / 1e9:.0f} GB are needed"
    return Finding("disk", _ok_if(free >= MIN_FREE_BYTES), detail)


def _writable(check: str, folder: Path, setting: str) -> Finding:
    """Whether a folder can be written, or created."""
    parent = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not parent.is_dir():
        return Finding(check, CheckStatus.ERROR, f"{parent} is not a folder: choose another with {setting}")
    can_write = os.access(parent, os.W_OK | os.X_OK) and not os.statvfs(parent).f_flag & os.ST_RDONLY
    detail = str(folder) if can_write else f"{parent} cannot be written: choose another folder with {setting}"
    return Finding(check, _ok_if(can_write), detail)


def _proxies() -> Iterator[Finding]:
    """Which proxies are used for downloads and AWS; the local environment is reached without."""
    proxies = {name: url for name, url in getproxies().items() if name in {"http", "https", "all"}}
    if proxies:
        used = ", ".join(f"{name} through {_without_password(url)}" for name, url in proxies.items())
        detail = f"{used}; the local environment is reached without a proxy"
        yield Finding("proxy", CheckStatus.WARNING, detail)


def _without_password(url: str) -> str:
    scheme, separator, rest = url.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def _port(name: str, url: str, path: str, *, running: bool) -> Finding:
    if is_healthy(url + path):
        starter = "`scones up` of this checkout" if running else "`docker compose up` or another checkout"
        return Finding(name, CheckStatus.OK, f"responds at {url}, probably started by {starter}")
    port = urlsplit(url).port or 80
    if is_free(port):
        return Finding(name, CheckStatus.OK, f"port {port} is free")
    detail = f"port {port} is in use by another program: `scones up` chooses a free one"
    return Finding(name, CheckStatus.WARNING, detail)


def _torch(settings: Settings) -> Finding:
    python = find_torch(settings.cache)
    detail = f"{python}" if python else "not installed: the first local training job installs it (about 1 GB)"
    return Finding("PyTorch", CheckStatus.OK if python else CheckStatus.WARNING, detail)


def _cifar(settings: Settings) -> Finding:
    named, cached = settings.archive, settings.cache / OFFICIAL.name
    if named is not None:
        detail = f"{named}" if named.exists() else f"{named} does not exist: correct SCONES_CIFAR100 or --archive"
        return Finding("CIFAR-100", _ok_if(named.exists()), detail)
    if cached.is_file():
        return Finding("CIFAR-100", CheckStatus.OK, str(cached))
    size = f"{OFFICIAL.size / 1e6:.0f} MB"
    detail = f"not downloaded yet: `scones stage` downloads it ({size}); without it, rendered vehicles are used"
    return Finding("CIFAR-100", CheckStatus.WARNING, detail)


def _engine() -> Finding:
    version = _docker("version", "--format", "{{.Server.Version}}")
    if version is None:
        return Finding(
            "Docker",
            CheckStatus.ERROR,
            "the Docker engine does not respond: start Docker, or use `scones up`, which needs none",
        )
    return Finding("Docker", CheckStatus.OK, f"engine {version}")


def _compose() -> Finding:
    version = _docker("compose", "version", "--short")
    if version is None:
        return Finding("docker compose", CheckStatus.ERROR, "not installed: install the Compose plugin, version 2")
    return Finding("docker compose", CheckStatus.OK, version)


def _docker(*arguments: str) -> str | None:
    """Return what the command prints, or None if it fails."""
    command = [shutil.which("docker") or "docker", *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
