"""The project's container images: built by the Docker engine, pushed to ECR."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import boto3
import docker
from docker import DockerClient
from docker.context import ContextAPI
from docker.errors import DockerException
from docker.utils import kwargs_from_env
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from orchestration import container_images as registry
from orchestration import image_builds
from orchestration.container_images import Published
from orchestration.errors import EngineUnavailable
from orchestration.image_builds import ContainerImageSource, ImageProgress, OnProgress
from scones import console
from scones.container_image_uris import ALL, INFERENCE, repository
from scones.settings import ROOT, Settings

_STEP_SECONDS = 900  # how long a build step may print nothing, as pip does while it downloads


def build(settings: Settings, architecture: str, engine: DockerClient) -> dict[str, str]:
    """Build every image under its local name and return the names by image."""
    built = {}
    with progress() as advance:
        for source in image_sources(settings, ALL):
            name = f"{settings.stack}/{source.name}:local"
            built[name] = image_builds.build(engine, source, [name], image_builds.PLATFORMS[architecture], advance)
    return built


def publish(
    session: boto3.Session,
    settings: Settings,
    names: tuple[str, ...],
    architecture: str,
    engine: Callable[[], DockerClient] | None = None,
) -> dict[str, Published]:
    """Push the images that ECR does not have yet, with a bar for each."""
    ecr, published = session.client("ecr"), {}
    with progress() as advance:
        for source in image_sources(settings, names):
            name, platform = repository(source.name), image_builds.PLATFORMS[architecture]
            image = registry.publish(engine or connect, ecr, source, name, platform, advance)
            published[source.name] = image
            console.note(f"  image {source.name} {'pushed' if image.pushed else 'is in ECR already'}: {image.digest}")
    return published


def find_published(
    session: boto3.Session, settings: Settings, names: tuple[str, ...], architecture: str
) -> dict[str, str]:
    """Return the URIs of the images that ECR has of the present sources."""
    ecr, platform = session.client("ecr"), image_builds.PLATFORMS[architecture]
    uris = {}
    for source in image_sources(settings, names):
        name, tag = repository(source.name), image_builds.tag(image_builds.context_archive(source), platform)
        if digest := registry.find_digest(ecr, name, tag):
            uris[source.name] = f"{registry.repository_uri(ecr, name)}@{digest}"
    return uris


def image_sources(settings: Settings, names: tuple[str, ...]) -> list[ContainerImageSource]:
    """Return what the named images are built from."""
    serving = ContainerImageSource(INFERENCE, ROOT, "training/serving/Dockerfile")
    return [serving if name == INFERENCE else ContainerImageSource(name, settings.services / name) for name in names]


def connect() -> DockerClient:
    """Connect to the engine of DOCKER_HOST, otherwise of the docker command's context. Raises EngineUnavailable."""
    try:
        context = ContextAPI.get_current_context()
        options = kwargs_from_env() or {"base_url": context.Host if context else None}
        client = docker.DockerClient(**options, timeout=_STEP_SECONDS)
        client.ping()
    except DockerException as error:
        raise EngineUnavailable(str(error)) from error
    return client


@contextmanager
def progress() -> Iterator[OnProgress]:
    """Show a bar for each image on standard error; gone when the work is done."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console.err, transient=True) as bars:
        tasks: dict[tuple[str, str], TaskID] = {}

        def show(now: ImageProgress) -> None:
            key = (now.action, now.name)
            if key not in tasks:
                tasks[key] = bars.add_task(f"{now.action} {now.name}")
            bars.update(tasks[key], completed=now.done, total=now.total or None)

        yield show
