"""An AWS account in its own moto server, behind the proxy, and a person who works in it with the CLI."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import urllib3

from orchestration import image_builds
from scones import container_image_uris, container_images
from scones.settings import Settings
from tests.cli_runner import User
from tests.moto.proxy import Proxy, Stub
from tests.moto.stubs import all_stubs
from tests.ports import reserved_ports

REGION = "eu-central-1"
ACCOUNT = "123456789012"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass(frozen=True)
class Account:
    """``user`` works through the proxy, ``session`` and :meth:`client` look at moto itself."""

    user: User
    proxy: Proxy
    session: boto3.Session
    moto_url: str

    def client(self, service: str) -> Any:
        """Return a client of moto itself, whose calls are not recorded."""
        return self.session.client(service, endpoint_url=self.moto_url)

    def scones(self, *words: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
        """Run a command on AWS without questions, and check its exit code."""
        done = self.user.run(*words)
        assert done.returncode == code, f"scones {' '.join(words)}\n{done.stdout}\n{done.stderr}"
        assert not self.proxy.failures, self.proxy.failures
        return done

    def deploy(self) -> None:
        """Bootstrap the account and deploy the stack."""
        self.scones("bootstrap", "--yes")
        self.push_images()
        self.scones("deploy", "--yes")

    def json(self, *words: str) -> Any:
        """Run a command and return the JSON that it prints."""
        return json.loads(self.scones(*words, "--json").stdout)

    def push_images(self) -> None:
        """Put a manifest of each container image into ECR, as the release does: moto has no registry behind it."""
        ecr = self.client("ecr")
        for source in container_images.image_sources(Settings(), container_image_uris.ALL):
            tag = image_builds.tag(image_builds.context_archive(source), "linux/amd64")
            config = {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": 1,
                "digest": f"sha256:{tag * 2}",
            }
            manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []})
            ecr.put_image(
                repositoryName=container_image_uris.repository(source.name), imageManifest=manifest, imageTag=tag,
                imageDigest=f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}",
            )  # fmt: skip


@contextmanager
def account(folder: Path, stubs: Mapping[str, Stub] | None = None) -> Iterator[Account]:
    """Start a moto server and the proxy; ``stubs`` are additional ones."""
    session = boto3.Session("test", "test", region_name=REGION)
    with _moto_server(folder) as moto_url:
        proxy = Proxy(moto_url, all_stubs(session, moto_url) | dict(stubs or {}))
        environment = {
            "AWS_ENDPOINT_URL": proxy.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": str(folder / "config"),
            "SCONES_TARGET": "aws", "SCONES_CACHE": str(folder / "cache"),
        }  # fmt: skip
        try:
            yield Account(User(folder / "home", environment, folder), proxy, session, moto_url)
        finally:
            proxy.close()


@contextmanager
def _moto_server(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "moto.server", "--port"]
    environment = {**os.environ, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false", "MOTO_S3_DEFAULT_KEY_BUFFER_SIZE": "1000000"}
    with (folder / "moto.log").open("wb") as log, reserved_ports(1) as (port,), subprocess.Popen(
        [*command, str(port)], env=environment, cwd=folder, stdout=log, stderr=log
    ) as process:  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_until_ready(url, process, folder / "moto.log")
            yield url
        finally:
            process.kill()


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 600
    while True:
        try:
            urllib3.request("GET", f"{url}/moto-api/data.json", retries=False, timeout=600)
        except urllib3.exceptions.HTTPError:
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < deadline, "moto does not start"
            time.sleep(0.1)
        else:
            return
