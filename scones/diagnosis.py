"""Checks what this machine has of what each mode needs, and says what to do about the rest."""

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

from botocore.exceptions import BotoCoreError, ClientError

from emulation.localstack.environment import environment_at
from emulation.processes.background import status
from emulation.processes.child_processes import is_healthy
from emulation.processes.components import LOCALSTACK_HEALTH, SAGEMAKER_HEALTH
from emulation.processes.ports import is_free
from emulation.sagemaker.training.torch_environment import find_torch
from scones.sessions import ADVISORY, aws_session
from scones.settings import Settings
from training.data.cifar_download import OFFICIAL
from training.errors import QuotaTooLow
from training.service_quotas import Use, check_quota

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


class Verdict(StrEnum):
    """Whether the mode works; ``advice`` is about something that it can do without."""

    GOOD = "good"
    ADVICE = "advice"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One check for one mode, its verdict, and in words its result and what to do."""

    mode: Mode
    what: str
    verdict: Verdict
    found: str


def laptop(settings: Settings) -> Iterator[Finding]:
    """What `scones demo` and `scones up` need."""
    mode = Mode.LAPTOP
    version = ".".join(map(str, sys.version_info[:3]))
    enough = sys.version_info >= MIN_PYTHON
    yield Finding(mode, "Python", _good(enough), f"{version}; 3.11 or newer is needed")
    yield _disk(mode, settings.home)
    yield _writable("home", settings.home, "--home or SCONES_HOME")
    yield _writable("cache", settings.cache, "SCONES_CACHE")
    yield from _proxies()
    running = status(settings.home).running
    for name, url, path in (
        ("LocalStack", settings.localstack_url, LOCALSTACK_HEALTH),
        ("SageMaker emulator", settings.sagemaker_url, SAGEMAKER_HEALTH),
    ):
        yield _address(name, url, path, running=running)
    made = environment_at(settings.cache).exists()
    found = "made" if made else "not made yet: the first `scones up` or `scones demo` makes it in about a minute"
    yield Finding(mode, "LocalStack's environment", Verdict.GOOD if made else Verdict.ADVICE, found)
    yield _torch(settings)
    yield _cifar(settings)


def docker(settings: Settings) -> Iterator[Finding]:
    """What `docker compose up` and `scones images` need."""
    mode = Mode.DOCKER
    yield _engine(mode)
    yield _compose(mode)
    yield _disk(mode, settings.home)


def aws(settings: Settings) -> Iterator[Finding]:
    """What `--target aws` needs; reads of the account who asks and what it may have."""
    mode = Mode.AWS
    try:
        session = aws_session(settings)
    except BotoCoreError as error:  # a profile that does not exist, a file that is damaged
        found = f"{' '.join(str(error).split())}: correct AWS_PROFILE or ~/.aws/config"
        yield Finding(mode, "profile", Verdict.BAD, found)
        return
    region = session.region_name
    yield Finding(mode, "region", Verdict.GOOD, f"{region}; AWS_REGION chooses another")
    try:
        who = session.client("sts", config=ADVISORY).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        found = f"{' '.join(str(error).split())}: set AWS_PROFILE or run `aws configure`"
        yield Finding(mode, "credentials", Verdict.BAD, found)
        return
    yield Finding(mode, "credentials", Verdict.GOOD, f"account {who['Account']}, {who['Arn']}")
    quotas = session.client("service-quotas", config=ADVISORY)
    uses: tuple[tuple[str, Use], ...] = (("ml.m5.xlarge", "endpoint"), ("ml.g5.xlarge", "training job"))
    for instance_type, use in uses:
        yield quota(quotas, instance_type, use, region)
    yield function_concurrency(quotas)
    yield _engine(mode)


def quota(client: Any, instance_type: str, use: Use, region: str) -> Finding:
    """Whether the account may have such an instance; where AWS does not say, the deployment itself will."""
    what = f"quota: {instance_type}, {use}"
    try:
        count = check_quota(client, instance_type, use, region)
    except QuotaTooLow as error:
        return Finding(Mode.AWS, what, Verdict.BAD, str(error))
    if count is None:
        return Finding(
            Mode.AWS, what, Verdict.ADVICE, "AWS does not say; allow servicequotas:ListServiceQuotas to know"
        )
    if use == "endpoint" and count < 2:
        found = "1: an update starts a second instance before it ends the first, and needs a quota of 2"
        return Finding(Mode.AWS, what, Verdict.ADVICE, found)
    return Finding(Mode.AWS, what, Verdict.GOOD, f"{count:g}")


def function_concurrency(client: Any) -> Finding:
    """Whether the functions may run at once as often as a batch starts them; a new account has a reduced quota."""
    what = "quota: concurrent Lambda executions"
    try:
        count = client.get_service_quota(ServiceCode="lambda", QuotaCode="L-B99A9384")["Quota"]["Value"]
    except (BotoCoreError, ClientError):
        return Finding(Mode.AWS, what, Verdict.ADVICE, "AWS does not say; allow servicequotas:GetServiceQuota to know")
    if count < LAMBDA_CONCURRENCY:
        fitting = max(1, int(count) // 3)
        found = f"{count:g}, as in a new account: request more, or deploy with --parameter BatchConcurrency={fitting}"
        return Finding(Mode.AWS, what, Verdict.ADVICE, found)
    return Finding(Mode.AWS, what, Verdict.GOOD, f"{count:g}")


CHECKS: dict[Mode, Callable[[Settings], Iterator[Finding]]] = {
    Mode.LAPTOP: laptop,
    Mode.DOCKER: docker,
    Mode.AWS: aws,
}


def _good(passed: bool) -> Verdict:
    return Verdict.GOOD if passed else Verdict.BAD


def _disk(mode: Mode, folder: Path) -> Finding:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(there).free
    found = f"{free / 1e9:.0f} GB free at {there}; {MIN_FREE_BYTES / 1e9:.0f} GB are needed"
    return Finding(mode, "disk", _good(free >= MIN_FREE_BYTES), found)


def _writable(what: str, folder: Path, setting: str) -> Finding:
    """Whether a folder can be written, or made."""
    parent = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not parent.is_dir():
        return Finding(Mode.LAPTOP, what, Verdict.BAD, f"{parent} is not a folder: name another by {setting}")
    can_write = os.access(parent, os.W_OK | os.X_OK) and not os.statvfs(parent).f_flag & os.ST_RDONLY
    found = str(folder) if can_write else f"{parent} cannot be written: name another folder by {setting}"
    return Finding(Mode.LAPTOP, what, _good(can_write), found)


def _proxies() -> Iterator[Finding]:
    """Which proxies downloads and AWS are reached by; the local environment never is."""
    proxies = {name: url for name, url in getproxies().items() if name in {"http", "https", "all"}}
    if proxies:
        found = f"{', '.join(f'{name} by {url}' for name, url in proxies.items())}; the local environment is not"
        yield Finding(Mode.LAPTOP, "proxy", Verdict.ADVICE, found)


def _address(name: str, url: str, path: str, *, running: bool) -> Finding:
    if is_healthy(url + path):
        mine = "`scones up` of this checkout" if running else "`docker compose up` or another checkout"
        return Finding(Mode.LAPTOP, name, Verdict.GOOD, f"answers at {url}, probably {mine}")
    port = urlsplit(url).port or 80
    if is_free(port):
        return Finding(Mode.LAPTOP, name, Verdict.GOOD, f"port {port} is free")
    found = f"port {port} is taken by something else: `scones up` takes a free one by itself"
    return Finding(Mode.LAPTOP, name, Verdict.ADVICE, found)


def _torch(settings: Settings) -> Finding:
    python = find_torch(settings.cache)
    found = f"{python}" if python else "none: the first local training job makes an environment with it (about 1 GB)"
    return Finding(Mode.LAPTOP, "PyTorch", Verdict.GOOD if python else Verdict.ADVICE, found)


def _cifar(settings: Settings) -> Finding:
    named, cached = settings.archive, settings.cache / OFFICIAL.name
    if named is not None:
        found = f"{named}" if named.exists() else f"there is nothing at {named}: correct SCONES_CIFAR100 or --archive"
        return Finding(Mode.LAPTOP, "CIFAR-100", _good(named.exists()), found)
    if cached.is_file():
        return Finding(Mode.LAPTOP, "CIFAR-100", Verdict.GOOD, str(cached))
    found = f"not here: `scones stage` downloads it ({OFFICIAL.size / 1e6:.0f} MB), else vehicles are rendered"
    return Finding(Mode.LAPTOP, "CIFAR-100", Verdict.ADVICE, found)


def _engine(mode: Mode) -> Finding:
    version = _docker("version", "--format", "{{.Server.Version}}")
    if version is None:
        return Finding(mode, "Docker", Verdict.BAD, "no engine answers: start Docker, or do without by `scones up`")
    return Finding(mode, "Docker", Verdict.GOOD, f"engine {version}")


def _compose(mode: Mode) -> Finding:
    version = _docker("compose", "version", "--short")
    if version is None:
        return Finding(mode, "docker compose", Verdict.BAD, "there is none: install the Compose plugin, version 2")
    return Finding(mode, "docker compose", Verdict.GOOD, version)


def _docker(*arguments: str) -> str | None:
    """Return what the command prints; None where it fails."""
    command = [shutil.which("docker") or "docker", *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
