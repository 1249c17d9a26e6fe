"""A local environment to measure on, with the stack deployed and the shipped model in service, and its processes."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from core.defaults import ENDPOINT_INSTANCE_TYPE
from emulation.processes.components import EnvironmentOptions
from emulation.processes.environment_state import EnvironmentState
from emulation.processes.local_environment import LocalEnvironment
from emulation.session import LocalSession
from orchestration.executions import S3Image
from orchestration.stack_outputs import StackOutputs, read_stack_outputs
from scones.image_inputs import upload_images
from scones.model_serving import deploy_endpoint
from scones.settings import Settings
from scones.stack_revisions import StackRevisions
from training.data.staging import encode_png
from training.data.synthetic import SyntheticSource

COMMAND = "scones batch"
_SAMPLING_SECONDS = 0.25
# The processes of a local environment by what stands in their command lines.
_PROCESSES = {
    "LocalStack": "scones_localstack",
    "SageMaker emulator": "-m emulation.sagemaker",
    "serialize": "--name serialize",
    "classify": "--name classify",
    "filter": "--name filter",
}


@dataclass(frozen=True)
class MeasuredBatch:
    """A finished ``scones batch``: its summary, CPU seconds and peak memory by process, and what it left on disk."""

    images: int
    summary: dict[str, Any]
    cpu_seconds: dict[str, float]
    peak_mib: dict[str, int]
    disk_mib: float

    @property
    def images_a_second(self) -> float:
        """Throughput of the whole command, uploading included."""
        return round(self.images / float(self.summary["seconds"]), 2)

    @property
    def cpu_ms_an_image(self) -> float:
        """CPU time of all processes together."""
        return round(1000 * sum(self.cpu_seconds.values()) / self.images, 1)


@dataclass(frozen=True)
class MeasuredDeployment:
    """A running local environment with the stack deployed."""

    state: EnvironmentState
    session: LocalSession
    outputs: StackOutputs
    settings: Settings
    scratch: Path

    def upload(self, count: int) -> list[S3Image]:
        """Render and upload images."""
        folder = write_images(self.scratch / "single", count)
        s3, bucket = self.session.client("s3"), self.outputs.data_bucket
        return upload_images(s3, bucket, "runs/bench", sorted(folder.iterdir()), lambda _done, _total: None)

    def batch(self, count: int) -> MeasuredBatch:
        """Run ``scones batch`` on rendered images, as a user does."""
        folder = write_images(self.scratch / f"batch-{count}", count)
        before, disk_before = _cpu_seconds(), _disk_mib(self.settings.home)
        variables = {"SCONES_HOME": str(self.settings.home), "SCONES_CACHE": str(self.settings.cache)}
        command = [sys.executable, "-m", "scones", "batch", str(folder), "--json", "--out", str(self.scratch)]
        with (
            tempfile.TemporaryFile("w+") as out,
            psutil.Popen(command, env={**os.environ, **variables}, stdout=out) as process,
        ):
            with _peak_memory(process) as peaks:
                own = _cpu_until_end(process)
            out.seek(0)
            summary: dict[str, Any] = json.loads(out.read())
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        cpu = {name: round(seconds - before.get(name, 0.0), 1) for name, seconds in _cpu_seconds().items()}
        disk = round(_disk_mib(self.settings.home) - disk_before, 1)
        return MeasuredBatch(count, summary, cpu | {COMMAND: round(own, 1)}, peaks, disk)


@contextmanager
def deployed() -> Iterator[MeasuredDeployment]:
    """Start a separate local environment, deploy, and serve the shipped model."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        settings = Settings(home=scratch / "home", cache=Settings.from_environment().cache)
        with LocalEnvironment(EnvironmentOptions(settings.home, settings.cache, settings.services)) as state:
            session = LocalSession(state.localstack_url, state.sagemaker_url)
            StackRevisions(session, settings).deploy({})
            outputs = read_stack_outputs(session.client("cloudformation"), settings.stack)
            deploy_endpoint(session, outputs, instance_type=ENDPOINT_INSTANCE_TYPE)
            yield MeasuredDeployment(state, session, outputs, settings, scratch)


def write_images(folder: Path, count: int) -> Path:
    """Write ``count`` rendered images and return their folder."""
    folder.mkdir(parents=True)
    _, images = SyntheticSource(train=count, test=0).images()
    for number, image in enumerate(images):
        (folder / f"{number:06d}.png").write_bytes(encode_png(image))
    return folder


def processes() -> dict[str, list[psutil.Process]]:
    """Return the local environment's processes, each with its children, by component."""
    families: dict[str, list[psutil.Process]] = {}
    for child in psutil.Process().children():
        line = " ".join(child.cmdline())
        for name, words in _PROCESSES.items():
            if words in line:
                families[name] = [child, *child.children(recursive=True)]
    return families


def resident_mib(family: list[psutil.Process]) -> float:
    """Return the resident memory of some processes together."""
    return round(sum(process.memory_info().rss for process in family) / 2**20, 1)


def _disk_mib(folder: Path) -> float:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 2**20


def _cpu_seconds() -> dict[str, float]:
    return {name: sum(sum(each.cpu_times()[:2]) for each in family) for name, family in processes().items()}


def _cpu_until_end(process: psutil.Popen) -> float:
    """Wait for a process to end and return the CPU seconds that it was last seen with."""
    seconds = 0.0
    while process.poll() is None:
        with suppress(psutil.Error):
            seconds = sum(process.cpu_times()[:2])
        time.sleep(_SAMPLING_SECONDS / 5)
    return seconds


@contextmanager
def _peak_memory(command: psutil.Process) -> Iterator[dict[str, int]]:
    """Yield peak MiB by component, and the command's, filled while the block runs."""
    peaks: dict[str, int] = {}
    ended = threading.Event()

    def sample() -> None:
        watched = {COMMAND: [command]} | processes()
        while not ended.wait(_SAMPLING_SECONDS):
            for name, family in watched.items():
                with suppress(psutil.Error):
                    peaks[name] = max(peaks.get(name, 0), round(resident_mib(family)))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield peaks
    finally:
        ended.set()
        sampler.join()
