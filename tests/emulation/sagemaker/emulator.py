"""The emulator as a process in tests, and what it is filled with."""

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.emulation.fakes.s3 import FakeS3

HANG_SECONDS = 600

ROOT = Path(__file__).parents[3]
ROLE = "arn:aws:iam::000000000000:role/scones"
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/vehicle-net:1"
CAPTURE_BUCKET = "captures"
_LISTENS = re.compile(rb"listens on port (?P<port>\d+) of ")


def archive(files: dict[str, bytes]) -> bytes:
    """A model.tar.gz of these files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def model_archive(**behaviour: object) -> bytes:
    """A model.tar.gz for the fake model server."""
    return archive({"behaviour.json": json.dumps(behaviour).encode()})


@dataclass
class Emulator:
    """The emulator as a process, and clients for it."""

    state_dir: Path
    s3: FakeS3
    options: tuple[str, ...] = ()
    program: tuple[str, ...] = (str(Path(__file__).with_name("emulator_process.py")),)
    training_python: str | None = sys.executable
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    log: Path = field(init=False)
    clients: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.log = self.state_dir.parent / f"{self.state_dir.name}.log"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        arguments = ["--port", str(self.port), "--state-dir", str(self.state_dir), "--s3-endpoint", self.s3.url]
        arguments += ["--logs-endpoint", self.s3.url]
        if self.training_python:
            arguments += ["--training-python", self.training_python]
        return [sys.executable, *self.program, *arguments, *self.options]

    def start(self, port: int = 0, **environment: str) -> "Emulator":
        self.port = port
        self.clients.clear()
        with self.log.open("ab") as output:
            begin = output.tell()
            self.process = subprocess.Popen(
                self.command(),
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
                stdout=output,
                stderr=output,
            )
        wait_until(lambda: self._listens(begin) and self.healthy(), self.log.read_text)
        return self

    def _listens(self, begin: int) -> bool:
        """Whether the process has logged, from this offset on, its port, which the system assigns to it."""
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        logged = _LISTENS.search(self.log.read_bytes(), begin)
        self.port = int(logged["port"]) if logged else self.port
        return logged is not None

    def healthy(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError):
            return bool(self.health()["status"] == "ok")
        return False

    def health(self) -> Any:
        with urllib.request.urlopen(f"{self.url}/_scones/health", timeout=600) as response:  # noqa: S310
            return json.load(response)

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(HANG_SECONDS)

    def client(self, service: str, **config: Any) -> Any:
        """A client that does not try again; one for all calls with the same settings, as making one is slow."""
        known = f"{service} {config}"
        if known not in self.clients:
            settings: dict[str, Any] = {"retries": {"total_max_attempts": 1}, "max_pool_connections": 32, **config}
            session: Any = boto3
            self.clients[known] = session.client(
                service,
                endpoint_url=self.url,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(**settings),
            )
        return self.clients[known]

    def status(self, name: str) -> str:
        return str(self.client("sagemaker").describe_endpoint(EndpointName=name)["EndpointStatus"])

    def wait(self, name: str, status: str = "InService") -> Any:
        client = self.client("sagemaker")
        wait_until(lambda: self.status(name) == status, self.log.read_text)
        return client.describe_endpoint(EndpointName=name)

    def model(self, name: str, packed: bytes | None = None, **container: Any) -> None:
        """A model of this name whose archive is in S3."""
        self.s3.objects[f"models/{name}.tar.gz"] = packed if packed is not None else model_archive()
        primary = {"Image": IMAGE, "ModelDataUrl": f"s3://models/{name}.tar.gz", **container}
        self.client("sagemaker").create_model(ModelName=name, PrimaryContainer=primary, ExecutionRoleArn=ROLE)

    def config(self, name: str, *models: str, sampling: int | None = 100, **capture: Any) -> None:
        """An endpoint configuration of one variant a model; the first is AllTraffic."""
        variants = [
            {
                "VariantName": "AllTraffic" if index == 0 else f"Variant{index}",
                "ModelName": model,
                "InitialInstanceCount": 1,
                "InstanceType": "ml.m5.xlarge",
                "InitialVariantWeight": 1.0,
            }
            for index, model in enumerate(models)
        ]
        parameters = {} if sampling is None else {"DataCaptureConfig": capture_config(sampling, **capture)}
        self.client("sagemaker").create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=variants, **parameters
        )

    def endpoint(self, name: str, packed: bytes | None = None, sampling: int | None = 100, **capture: Any) -> None:
        """An endpoint in service with a model and a configuration of the same name."""
        self.model(name, packed)
        self.config(name, name, sampling=sampling, **capture)
        self.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=name)
        self.wait(name)


def capture_config(sampling: int, **more: Any) -> dict[str, Any]:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": sampling,
        "DestinationS3Uri": f"s3://{CAPTURE_BUCKET}/data",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
        **more,
    }


def wait_until(condition: Callable[[], bool], explain: Callable[[], str] = lambda: "") -> None:
    deadline = time.monotonic() + HANG_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {HANG_SECONDS} s. {explain()}"
        time.sleep(0.05)
