"""`scones images`: builds the container images, and brings them to ECR."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import boto3
import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from scones import aws, console, options
from scones.errors import TargetHasNoRegistry
from scones.settings import ROOT, Settings, Target

if TYPE_CHECKING:
    from docker import DockerClient

    from orchestration.container_images import OnProgress, Published, Recipe
    from orchestration.container_images import Progress as ImageProgress

app = typer.Typer(help="Build the container images and bring them to ECR.", no_args_is_help=True)

SERVICES = ("serialize", "classify", "filter")
INFERENCE = "inference"
_PATIENCE = 900  # seconds a build step may be silent, as pip is while it downloads
_ARM = re.compile(r"ml\.[a-z]+\d+g[a-z]*\.")  # Graviton: ml.c7g.large; the g of ml.g5 and ml.g4dn is another

ArchitectureOption = Annotated[
    Literal["x86_64", "arm64"],
    typer.Option("--architecture", help="What the functions run on; building for another than this machine's is slow."),
]


@app.command("build", epilog="Example: scones images build && docker image ls scones/*")
def build(
    architecture: ArchitectureOption = "x86_64",
    stack_name: options.StackOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Build all four images under their local names, STACK/NAME:local, and push nothing."""
    from orchestration.container_images import PLATFORMS  # noqa: PLC0415
    from orchestration.container_images import build as build_image  # noqa: PLC0415

    settings = options.settings(None, stack_name)
    engine, built = connect(), {}
    with progress() as advance:
        for recipe in recipes(settings, (*SERVICES, INFERENCE)):
            name = f"{repository(settings, recipe.name)}:local"
            built[name] = build_image(engine, recipe, [name], PLATFORMS[architecture], advance)
    console.tell(built, as_json=as_json)


@app.command("push", epilog="Example: scones images push --target aws --architecture arm64")
def push(
    architecture: ArchitectureOption = "x86_64",
    target: options.TargetOption = None,
    stack_name: options.StackOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Build the images that ECR does not have yet and push them; the inference image is for x86_64 instances."""
    settings = options.settings(target, stack_name)
    if settings.target is not Target.AWS:
        raise TargetHasNoRegistry(settings.target)
    session = aws.session(settings)
    published = publish(session, settings, SERVICES, architecture) | publish(session, settings, (INFERENCE,), "x86_64")
    if as_json:
        console.print_json({name: asdict(image) for name, image in published.items()})
        return
    console.tell({name: image.uri for name, image in published.items()}, as_json=False)


def publish(
    session: boto3.Session,
    settings: Settings,
    names: tuple[str, ...],
    architecture: str,
    engine: "Callable[[], DockerClient] | None" = None,
) -> "dict[str, Published]":
    """Bring the images to ECR, with a bar for each; what is there already is left alone."""
    from orchestration import container_images  # noqa: PLC0415

    ecr, published = session.client("ecr"), {}
    with progress() as advance:
        for recipe in recipes(settings, names):
            found = container_images.publish(
                engine or connect,
                ecr,
                recipe,
                repository(settings, recipe.name),
                container_images.PLATFORMS[architecture],
                advance,
            )
            published[recipe.name] = found
            said = "pushed" if found.pushed else "is there already"
            console.err.print(f"  image {recipe.name} {said}: {found.digest}", highlight=False, soft_wrap=True)
    return published


def inference(session: boto3.Session, settings: Settings, instance_type: str) -> str | None:
    """Return the address of the inference image for such an instance in ECR; None where no registry is needed."""
    if settings.target is not Target.AWS:
        return None
    architecture = "arm64" if _ARM.match(instance_type) else "x86_64"
    return publish(session, settings, (INFERENCE,), architecture)[INFERENCE].uri


def repository(settings: Settings, name: str) -> str:
    """Return the name of an image's repository; ECR takes lower case only."""
    return f"{settings.stack.lower()}/{name}"


def recipes(settings: Settings, names: tuple[str, ...]) -> "list[Recipe]":
    """Return what the named images are built from."""
    from orchestration.container_images import Recipe  # noqa: PLC0415

    serving = Recipe(INFERENCE, ROOT, "training/serving/Dockerfile")
    return [serving if name == INFERENCE else Recipe(name, settings.services / name) for name in names]


def connect() -> "DockerClient":
    """Reach the engine that the docker command uses: DOCKER_HOST, else its context. Raises EngineUnavailable."""
    import docker  # noqa: PLC0415
    from docker.context import ContextAPI  # noqa: PLC0415
    from docker.errors import DockerException  # noqa: PLC0415
    from docker.utils import kwargs_from_env  # noqa: PLC0415

    from orchestration.errors import EngineUnavailable  # noqa: PLC0415

    try:
        context = ContextAPI.get_current_context()
        place = kwargs_from_env() or {"base_url": context.Host if context else None}
        client = docker.DockerClient(**place, timeout=_PATIENCE)
        client.ping()
    except DockerException as error:
        raise EngineUnavailable(str(error)) from error
    return client


@contextmanager
def progress() -> "Iterator[OnProgress]":
    """Show a bar for each image on standard error; gone when the work is done."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console.err, transient=True) as bars:
        tasks: dict[tuple[str, str], TaskID] = {}

        def show(now: "ImageProgress") -> None:
            key = (now.action, now.name)
            if key not in tasks:
                tasks[key] = bars.add_task(f"{now.action} {now.name}")
            bars.update(tasks[key], completed=now.done, total=now.total or None)

        yield show
