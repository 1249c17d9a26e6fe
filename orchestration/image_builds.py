"""Builds container images: with buildx, or with the engine's classic API where buildx is not installed.

An image is tagged with the digest of what it is built from: its build context and its platform. The same sources give
the same tag, on any machine and without git.
"""

import hashlib
import io
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from docker import DockerClient
from docker.errors import APIError, DockerException
from docker.utils.build import exclude_paths

from orchestration.errors import EngineUnavailable, ImageBuildFailed

PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
_TAG_DIGITS = 32
# Lambda refuses an image index, which is what an image with attestations is.
_BUILDX = ("docker", "buildx", "build", "--provenance=false", "--sbom=false", "--load", "--progress=plain")
_CLASSIC_STEP = re.compile(r"Step (\d+)/(\d+) ")
_BUILDX_STEP = re.compile(r"#\d+ \[(?:\S+ )?(\d+)/(\d+)\]")
_KEPT_LINES = 20


@dataclass(frozen=True)
class ContainerImageSource:
    """What an image is built from: a context folder, and the Dockerfile's path in it."""

    name: str
    context: Path
    dockerfile: str = "Dockerfile"


@dataclass(frozen=True)
class ImageProgress:
    """The progress of one image: ``action`` is building or pushing, ``total`` in steps or bytes, 0 while unknown."""

    name: str
    action: str
    done: int
    total: int


OnProgress = Callable[[ImageProgress], None]


def context_archive(source: ContainerImageSource) -> bytes:
    """Return the build context as a tar archive; the same files give the same bytes, whatever their owner and time.

    Honours ``<Dockerfile>.dockerignore`` or the context's ``.dockerignore``, as ``docker build`` does.
    """
    ignore = source.context / f"{source.dockerfile}.dockerignore"
    if not ignore.is_file():
        ignore = source.context / ".dockerignore"
    lines = ignore.read_text().splitlines() if ignore.is_file() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    included = exclude_paths(str(source.context), patterns, source.dockerfile) - {".dockerignore"}
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name in sorted(Path(name).as_posix() for name in included):
            path = source.context / name
            if not path.is_file():
                continue  # a folder is created with its files
            member = tarfile.TarInfo(name)
            member.size = path.stat().st_size
            member.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            with path.open("rb") as file:
                archive.addfile(member, file)
    return content.getvalue()


def tag(archive: bytes, platform: str) -> str:
    """Return the tag of the image that a context makes for a platform."""
    return hashlib.sha256(platform.encode() + b"\0" + archive).hexdigest()[:_TAG_DIGITS]


def has_buildx() -> bool:
    """Tell whether the docker command has the buildx plugin."""
    docker = shutil.which("docker")
    if docker is None:
        return False
    return subprocess.run([docker, "buildx", "version"], capture_output=True, check=False).returncode == 0


def build(
    engine: DockerClient,
    source: ContainerImageSource,
    names: Iterable[str],
    platform: str,
    on_progress: OnProgress = lambda _: None,
    *,
    buildx: bool | None = None,
) -> str:
    """Build an image, name it with each of ``names`` (``repository:tag``) and return its ID.

    With ``buildx`` None it is used where it is installed. Raises ImageBuildFailed and EngineUnavailable.
    """
    first, *others = names
    uses_buildx = has_buildx() if buildx is None else buildx
    builder = _build_with_buildx if uses_buildx else _build_classically
    try:
        builder(engine, source, first, platform, on_progress)
        image = engine.images.get(first)
        for name in others:
            image.tag(name)
    except APIError as error:
        raise ImageBuildFailed(source.name, error.explanation or str(error)) from error
    except DockerException as error:
        raise EngineUnavailable(str(error)) from error
    return str(image.id)


def _build_with_buildx(
    _engine: DockerClient, source: ContainerImageSource, name: str, platform: str, on_progress: OnProgress
) -> None:
    command = [*_BUILDX, "--platform", platform, "--file", source.dockerfile, "--tag", name, "-"]
    output: deque[str] = deque(maxlen=_KEPT_LINES)
    with tempfile.TemporaryFile() as context:
        context.write(context_archive(source))
        context.seek(0)
        with subprocess.Popen(
            command, stdin=context, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as run:
            for line in run.stdout or ():
                _report(_BUILDX_STEP, source, line, on_progress)
                if line.strip():
                    output.append(line.strip())
    if run.returncode:
        raise ImageBuildFailed(source.name, output.pop() if output else f"exit code {run.returncode}", output)


def _build_classically(
    engine: DockerClient, source: ContainerImageSource, name: str, platform: str, on_progress: OnProgress
) -> None:
    output: deque[str] = deque(maxlen=_KEPT_LINES)
    events = engine.api.build(
        fileobj=io.BytesIO(context_archive(source)),
        custom_context=True,
        dockerfile=source.dockerfile,
        tag=name,
        platform=platform,
        rm=True,
        forcerm=True,
        decode=True,
    )
    for event in events:
        if "error" in event:
            raise ImageBuildFailed(source.name, event["error"], output)
        if line := event.get("stream", "").strip():
            output.append(line)
            _report(_CLASSIC_STEP, source, line, on_progress)


def _report(step: re.Pattern[str], source: ContainerImageSource, line: str, on_progress: OnProgress) -> None:
    """Report the step that a line of output begins: the steps before it are done."""
    match = step.match(line)
    if match:
        on_progress(ImageProgress(source.name, "building", int(match[1]) - 1, int(match[2])))
