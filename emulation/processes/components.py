"""The components of a local environment, and how each is started: LocalStack, the SageMaker emulator, Lambda hosts."""

import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from core.defaults import REGION
from emulation.errors import ServicesMissing
from emulation.localstack.localstack_variables import localstack_environment
from emulation.localstack.scones_localstack.settings import CONTAINERS_VARIABLE, ZipHost
from emulation.processes.child_processes import Component
from emulation.processes.ports import HOST
from emulation.session import SAGEMAKER_ENDPOINT_VARIABLES
from emulation.settings import ROOT

LOCALSTACK_HEALTH = "/_localstack/health"
SAGEMAKER_HEALTH = "/_scones/health"
LAMBDA_HEALTH = "/health"
_NO_PROXY = "127.0.0.1,localhost"


@dataclass(frozen=True)
class EnvironmentOptions:
    """What a local environment is started with; ``home`` has its state, ``services`` a folder for each Lambda.

    ``cache`` holds LocalStack's private environment, which all local environments of a user share. ``environment`` is
    added to the variables of the Lambdas and the emulator. ``stub_model`` loads no models but returns fixed
    probabilities, ``faults`` lets tests make the endpoints fail, ``training_python`` is the interpreter of training
    jobs. Without a port the default one is used if it is free, otherwise any.
    """

    home: Path
    cache: Path
    services: Path
    region: str = REGION
    localstack_port: int | None = None
    sagemaker_port: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    stub_model: bool = False
    faults: bool = False
    training_python: Path | None = None

    def to_json(self) -> str:
        """Return the options as text."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`to_json` wrote."""
        values = json.loads(text)
        paths = ("home", "cache", "services", "training_python")
        return cls(**values | {name: Path(values[name]) for name in paths if values[name] is not None})


@dataclass(frozen=True)
class Addresses:
    """The ports of the components."""

    localstack: int
    sagemaker: int
    lambdas: Mapping[str, int]

    @property
    def localstack_url(self) -> str:
        """LocalStack's URL."""
        return f"http://{HOST}:{self.localstack}"

    @property
    def sagemaker_url(self) -> str:
        """The SageMaker emulator's URL."""
        return f"http://{HOST}:{self.sagemaker}"

    @property
    def lambda_urls(self) -> dict[str, str]:
        """The URL of each Lambda host by the service's name."""
        return {name: f"http://{HOST}:{port}" for name, port in self.lambdas.items()}


def find_services(services: Path) -> dict[str, Path]:
    """Return the folder of every Lambda service under ``services``; raises ServicesMissing if there is none."""
    folders = {file.parent.name: file.parent for file in sorted(services.glob("*/handler.py"))}
    if not folders:
        raise ServicesMissing(services)
    return folders


def local_variables(inherited: Mapping[str, str], addresses: Addresses, region: str) -> dict[str, str]:
    """Return variables with which AWS clients reach the emulators, without the user's account or a proxy."""
    kept = {name: value for name, value in inherited.items() if not name.startswith("AWS_")}
    no_proxy = ",".join(filter(None, (inherited.get("no_proxy") or inherited.get("NO_PROXY"), _NO_PROXY)))
    return {
        **kept,
        "no_proxy": no_proxy,
        "NO_PROXY": no_proxy,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": addresses.localstack_url,
        **dict.fromkeys(SAGEMAKER_ENDPOINT_VARIABLES.values(), addresses.sagemaker_url),
    }


def localstack(python: Path, run: Path, addresses: Addresses, environment: Mapping[str, str]) -> Component:
    """LocalStack in its private environment; it keeps nothing when it stops, so it is not asked to take its time."""
    directory = run / "localstack"
    directory.mkdir()
    kept = {name: value for name, value in environment.items() if not name.startswith(("AWS_", "PYTHON"))}
    zip_host = ZipHost([sys.executable, "-m", "emulation.lambdas.host"], dict(environment))
    settings = localstack_environment(HOST, addresses.localstack, directory, addresses.lambda_urls, zip_host)
    if own_containers := environment.get(CONTAINERS_VARIABLE):
        settings[CONTAINERS_VARIABLE] += f",{own_containers}"
    return Component(
        "localstack",
        [str(python), "-I", "-u", "-m", "scones_localstack"],
        # Its plugin loader caches in the user's home, which may be read-only.
        {**kept, **settings, "XDG_CACHE_HOME": str(python.parents[1] / "cache")},
        addresses.localstack_url,
        LOCALSTACK_HEALTH,
        signal.SIGKILL,
    )


def sagemaker(run: Path, addresses: Addresses, environment: Mapping[str, str], chosen: EnvironmentOptions) -> Component:
    """The SageMaker emulator."""
    directory = run / "sagemaker"
    directory.mkdir()
    options = {
        "--host": HOST,
        "--port": str(addresses.sagemaker),
        "--state-dir": str(directory),
        "--s3-endpoint": addresses.localstack_url,
        "--logs-endpoint": addresses.localstack_url,
        "--cloudwatch-endpoint": addresses.localstack_url,
        "--region": chosen.region,
        "--cache": str(chosen.cache),
        **({"--training-python": str(chosen.training_python)} if chosen.training_python else {}),
    }
    switches = [name for name, on in {"--stub-model": chosen.stub_model, "--faults": chosen.faults}.items() if on]
    command = [sys.executable, "-m", "emulation.sagemaker", *_flat(options), *switches]
    return Component("sagemaker", command, environment, addresses.sagemaker_url, SAGEMAKER_HEALTH)


def lambda_host(
    name: str, folder: Path, addresses: Addresses, environment: Mapping[str, str], region: str
) -> Component:
    """The host of one Lambda handler."""
    options = {
        "--service-dir": str(folder),
        "--name": name,
        "--host": HOST,
        "--port": str(addresses.lambdas[name]),
        "--region": region,
    }
    command = [sys.executable, "-m", "emulation.lambdas.host", *_flat(options)]
    return Component(name, command, environment, addresses.lambda_urls[name], LAMBDA_HEALTH)


def _flat(options: Mapping[str, str]) -> list[str]:
    return [word for option in options.items() for word in option]
