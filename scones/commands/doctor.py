"""`scones doctor`: what this machine has of what each mode needs, and what to do about the rest."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from rich.table import Table

from emulation.localstack.environment import environment_at
from emulation.processes.background import status
from emulation.processes.child_processes import answers
from emulation.processes.components import LOCALSTACK_HEALTH, SAGEMAKER_HEALTH
from emulation.processes.ports import is_free
from scones import console, options
from scones.settings import Settings
from training.errors import QuotaIsZero
from training.service_quotas import Use, check_quota

LEAST_PYTHON = (3, 11)
LEAST_BYTES = 3_000_000_000
"""What environments, LocalStack and a staged data set take together, with room to work."""
QUICK = Config(connect_timeout=4, read_timeout=8, retries={"total_max_attempts": 1})


class Mode(StrEnum):
    """Ways to run the pipeline."""

    LAPTOP = "laptop"
    DOCKER = "docker"
    AWS = "aws"


class Verdict(StrEnum):
    """``advice`` is something that the mode does without."""

    GOOD = "good"
    ADVICE = "advice"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, for one mode, and in words what was found and what to do."""

    mode: Mode
    what: str
    verdict: Verdict
    found: str


def doctor(
    modes: Annotated[
        list[Mode] | None, typer.Argument(help="Which modes to look at [default: laptop and docker].")
    ] = None,
    stack_name: options.StackOption = None,
    home: options.HomeOption = None,
    archive: options.ArchiveOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Look at what each mode needs: Python, disk, ports, Docker, CIFAR-100; for aws credentials, region, quotas.

    Asks AWS only where `aws` is named, creates nothing, and ends with exit code 1 where something needed is missing.

    Example: `scones doctor`, before a deployment `scones doctor aws`
    """
    settings = options.settings(None, stack_name, home, archive)
    wanted = modes or [Mode.LAPTOP, Mode.DOCKER]
    with console.progress("looking"):
        findings = [finding for mode in wanted for finding in _EXAMINATIONS[mode](settings)]
    if as_json:
        console.print_json([asdict(finding) for finding in findings])
    else:
        _show(findings)
    raise typer.Exit(int(any(finding.verdict is Verdict.BAD for finding in findings)))


def laptop(settings: Settings) -> Iterator[Finding]:
    """What `scones demo` and `scones up` need."""
    mode = Mode.LAPTOP
    version = ".".join(map(str, sys.version_info[:3]))
    enough = sys.version_info >= LEAST_PYTHON
    yield Finding(mode, "Python", _good(enough), f"{version}; 3.11 or newer is needed")
    yield _disk(mode, settings.home)
    running = status(settings.home).running
    for name, url, path in (
        ("LocalStack", settings.localstack_url, LOCALSTACK_HEALTH),
        ("SageMaker emulator", settings.sagemaker_url, SAGEMAKER_HEALTH),
    ):
        yield _address(name, url, path, running=running)
    made = environment_at(settings.cache).exists()
    found = "made" if made else "not made yet: the first `scones up` or `scones demo` makes it in about a minute"
    yield Finding(mode, "LocalStack's environment", Verdict.GOOD if made else Verdict.ADVICE, found)
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
    session = boto3.Session(region_name=settings.region)
    region = session.region_name
    yield Finding(mode, "region", Verdict.GOOD, f"{region}; AWS_REGION chooses another")
    try:
        who = session.client("sts", config=QUICK).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        found = f"{' '.join(str(error).split())}: set AWS_PROFILE or run `aws configure`"
        yield Finding(mode, "credentials", Verdict.BAD, found)
        return
    yield Finding(mode, "credentials", Verdict.GOOD, f"account {who['Account']}, {who['Arn']}")
    quotas = session.client("service-quotas", config=QUICK)
    uses: tuple[tuple[str, Use], ...] = (("ml.m5.xlarge", "endpoint"), ("ml.g5.xlarge", "training job"))
    for instance_type, use in uses:
        yield quota(quotas, instance_type, use, region)
    yield _engine(mode)


def quota(client: Any, instance_type: str, use: Use, region: str) -> Finding:
    """Whether the account may have such an instance; where AWS does not say, the deployment itself will."""
    what = f"quota: {instance_type}, {use}"
    try:
        count = check_quota(client, instance_type, use, region)
    except QuotaIsZero as error:
        return Finding(Mode.AWS, what, Verdict.BAD, str(error))
    if count is None:
        return Finding(
            Mode.AWS, what, Verdict.ADVICE, "AWS does not say; allow servicequotas:ListServiceQuotas to know"
        )
    return Finding(Mode.AWS, what, Verdict.GOOD, f"{count:g}")


_EXAMINATIONS: dict[Mode, Callable[[Settings], Iterator[Finding]]] = {
    Mode.LAPTOP: laptop,
    Mode.DOCKER: docker,
    Mode.AWS: aws,
}


def _good(passed: bool) -> Verdict:
    return Verdict.GOOD if passed else Verdict.BAD


def _disk(mode: Mode, folder: Path) -> Finding:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(there).free
    found = f"{free / 1e9:.0f} GB free at {there}; {LEAST_BYTES / 1e9:.0f} GB are needed"
    return Finding(mode, "disk", _good(free >= LEAST_BYTES), found)


def _address(name: str, url: str, path: str, *, running: bool) -> Finding:
    if answers(url + path):
        mine = "`scones up` of this checkout" if running else "`docker compose up` or another checkout"
        return Finding(Mode.LAPTOP, name, Verdict.GOOD, f"answers at {url}, probably {mine}")
    port = int(url.rpartition(":")[2])
    if is_free(port):
        return Finding(Mode.LAPTOP, name, Verdict.GOOD, f"port {port} is free")
    found = f"port {port} is taken by something else: `scones up` takes a free one by itself"
    return Finding(Mode.LAPTOP, name, Verdict.ADVICE, found)


def _cifar(settings: Settings) -> Finding:
    from training.data.cifar_download import OFFICIAL  # noqa: PLC0415 - the HTTP client is not for every command

    named, cached = settings.archive, settings.cache / OFFICIAL.name
    if named is not None:
        found = f"{named}" if named.is_file() else f"there is no file {named}: correct SCONES_CIFAR100 or --archive"
        return Finding(Mode.LAPTOP, "CIFAR-100", _good(named.is_file()), found)
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


def _show(findings: list[Finding]) -> None:
    colours = {Verdict.GOOD: "green", Verdict.ADVICE: "yellow", Verdict.BAD: "red"}
    table = Table.grid(padding=(0, 2))
    for column in range(3):
        table.add_column(no_wrap=column < 2)
    table.add_column(overflow="fold")
    for finding in findings:
        colour = colours[finding.verdict]
        said = console.escape(finding.found)
        table.add_row(f"[bold]{finding.mode}[/]", finding.what, f"[{colour}]{finding.verdict}[/]", said)
    console.out.print(table)
