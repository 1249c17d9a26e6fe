"""One compose project under its own name on free ports, and the ways to hurt its containers."""

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKER = shutil.which("docker") or "docker"
LONG_LIVED = ("localstack", "serialize", "classify", "filter", "sagemaker", "deploy")
# Sent from the host's process namespace: `docker kill` would count as the user's wish, and restart nothing.
KILL = "import os, sys; os.kill(int(sys.argv[1]), 9)"


def docker(*arguments: str, environment: dict[str, str] | None = None, seconds: float = 600) -> str:
    finished = subprocess.run(
        [DOCKER, *arguments],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert finished.returncode == 0, f"docker {' '.join(arguments)}: {finished.stderr[-3000:]}"
    return finished.stdout.strip()


def engine_answers() -> bool:
    try:
        docker("version", seconds=20)
    except (OSError, AssertionError, subprocess.TimeoutExpired):
        return False
    return True


@dataclass(frozen=True)
class Project:
    """A compose project: ``docker compose`` with its name and its ports."""

    name: str
    localstack_port: int
    sagemaker_port: int
    review_port: int

    def compose(self, *arguments: str) -> str:
        environment = {
            "COMPOSE_PROJECT_NAME": self.name,
            "SCONES_LOCALSTACK_PORT": str(self.localstack_port),
            "SCONES_SAGEMAKER_PORT": str(self.sagemaker_port),
            "SCONES_REVIEW_PORT": str(self.review_port),
        }
        return docker("compose", *arguments, environment=environment)

    def kill(self, service: str) -> None:
        """End the service's processes with SIGKILL, as a crash or the kernel's out-of-memory killer would."""
        container = self.compose("ps", "--quiet", service)
        pid = docker("inspect", "--format", "{{.State.Pid}}", container)
        image = docker("inspect", "--format", "{{.Config.Image}}", self.compose("ps", "--quiet", "deploy"))
        options = ["--rm", "--pid=host", "--user=0:0", "--network=none", "--entrypoint=python"]
        docker("run", *options, image, "-c", KILL, pid)

    def restarts(self, service: str) -> int:
        return int(docker("inspect", "--format", "{{.RestartCount}}", self.compose("ps", "--quiet", service)))

    def unhealthy(self) -> list[str]:
        """The services that are not running and healthy at this moment."""
        listed = [json.loads(line) for line in self.compose("ps", "--all", "--format", "json").splitlines()]
        healthy = {one["Service"] for one in listed if (one["State"], one["Health"]) == ("running", "healthy")}
        return sorted(set(LONG_LIVED) - healthy)

    def forget_images(self) -> None:
        """Remove the project's tags; layers that another checkout's images have stay."""
        tagged = docker("images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"reference=scones/*:{self.name}")
        if tagged:
            docker("image", "rm", "--force", *tagged.split())

    def left(self) -> list[str]:
        """Containers, volumes and networks that bear the project's label, and images with its tag."""
        label = f"label=com.docker.compose.project={self.name}"
        result = docker("ps", "--all", "--quiet", "--filter", label)
        result += "\n" + docker("images", "--quiet", "--filter", f"reference=scones/*:{self.name}")
        for kind in ("volume", "network"):
            result += "\n" + docker(kind, "ls", "--quiet", "--filter", label)
        return result.split()


def wait_until_healthy(project: Project, seconds: float) -> float:
    """Wait until every service is healthy; return how long that took."""
    started = time.monotonic()
    while sick := project.unhealthy():
        assert time.monotonic() < started + seconds, f"not healthy after {seconds:.0f} s: {', '.join(sick)}"
        time.sleep(0.3)
    return time.monotonic() - started
