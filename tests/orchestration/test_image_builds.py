import io
import os
import stat
import tarfile
from pathlib import Path

import pytest
from docker.errors import APIError, DockerException

from orchestration.errors import EngineUnavailable, ImageBuildFailed
from orchestration.image_builds import ContainerImageSource, ImageProgress, build, context_archive, has_buildx, tag
from scones.settings import ROOT
from tests.orchestration.engines import FakeEngine

AMD64 = "linux/amd64"


@pytest.fixture
def source(tmp_path: Path) -> ContainerImageSource:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY handler.py /\n")
    (tmp_path / "handler.py").write_text("x = 1\n")
    (tmp_path / "notes.md").write_text("not for the image\n")
    (tmp_path / ".dockerignore").write_text("# all but\n*\n!*.py\n")
    return ContainerImageSource("filter", tmp_path)


def names(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return opened.getnames()


def test_the_context_is_what_the_ignore_file_lets_through(source: ContainerImageSource) -> None:
    assert names(context_archive(source)) == ["Dockerfile", "handler.py"]


def test_the_inference_images_context_is_the_server_and_nothing_else() -> None:
    included = names(context_archive(ContainerImageSource("inference", ROOT, "training/serving/Dockerfile")))
    assert {"training/serving/Dockerfile", "training/serving/app.py", "training/serving/requirements.txt"} <= set(
        included
    )
    assert all(name.startswith(("core/", "training/serving/", "training/__init__.py")) for name in included)


def test_the_same_files_give_the_same_tag_whenever_they_were_written(source: ContainerImageSource) -> None:
    before = tag(context_archive(source), AMD64)
    os.utime(source.context / "handler.py", (1, 1))
    (source.context / "notes.md").write_text("changed")
    assert tag(context_archive(source), AMD64) == before


@pytest.mark.parametrize("change", ["content", "mode", "platform"])
def test_whatever_the_image_depends_on_changes_the_tag(source: ContainerImageSource, change: str) -> None:
    before = tag(context_archive(source), AMD64)
    if change == "content":
        (source.context / "handler.py").write_text("x = 2\n")
    elif change == "mode":
        (source.context / "handler.py").chmod(0o755)
    platform = "linux/arm64" if change == "platform" else AMD64
    assert tag(context_archive(source), platform) != before


DOCKER = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/arguments"
cat > "$(dirname "$0")/context"
echo '#1 [internal] load build definition from Dockerfile'
echo '#5 [1/3] FROM public.ecr.aws/lambda/python:3.13'
echo '#6 [build 2/3] COPY handler.py ./'
echo 'no such package'
exit {code}
"""


def docker(folder: Path, monkeypatch: pytest.MonkeyPatch, code: int = 0) -> Path:
    """Put a docker command of our own first on the path; it writes down what it receives, and ends with ``code``."""
    path = folder / "bin" / "docker"
    path.parent.mkdir()
    path.write_text(DOCKER.format(code=code))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")
    return path.parent


def test_buildx_builds_without_the_attestations_that_lambda_refuses(
    source: ContainerImageSource, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, seen = docker(tmp_path_factory.mktemp("path"), monkeypatch), list[ImageProgress]()
    build(FakeEngine([], []), source, ["scones/filter:local"], "linux/arm64", seen.append, buildx=True)
    arguments = (folder / "arguments").read_text().split()
    assert {"--provenance=false", "--sbom=false", "--load"} <= set(arguments)
    assert arguments[arguments.index("--platform") + 1] == "linux/arm64"
    assert arguments[arguments.index("--tag") + 1] == "scones/filter:local"
    assert (folder / "context").read_bytes() == context_archive(source)
    assert seen == [ImageProgress("filter", "building", 0, 3), ImageProgress("filter", "building", 1, 3)]


def test_a_step_that_fails_in_buildx_is_reported_with_its_output(
    source: ContainerImageSource, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker(tmp_path_factory.mktemp("path"), monkeypatch, code=1)
    with pytest.raises(ImageBuildFailed, match=r"'filter'.*no such package.*COPY handler"):
        build(FakeEngine([], []), source, ["scones/filter:local"], AMD64, buildx=True)


@pytest.mark.parametrize(("code", "expected"), [(0, True), (1, False)])
def test_buildx_is_used_where_the_docker_command_has_it(
    code: int, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker(tmp_path, monkeypatch, code)
    assert has_buildx() is expected


def test_without_a_docker_command_there_is_no_buildx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert has_buildx() is False


def test_a_failing_step_is_named_with_what_it_said(source: ContainerImageSource) -> None:
    engine = FakeEngine(
        [{"stream": "Step 2/3 : RUN pip"}, {"stream": "no such package\n"}, {"error": "returned 1"}], []
    )
    with pytest.raises(ImageBuildFailed, match=r"'filter'.*returned 1.*no such package"):
        build(engine, source, ["scones/filter:local"], AMD64, buildx=False)


@pytest.mark.parametrize(
    ("raised", "named"),
    [(APIError("no space left"), ImageBuildFailed), (DockerException("refused"), EngineUnavailable)],
)
def test_an_engine_that_fails_is_a_named_error(
    source: ContainerImageSource, raised: Exception, named: type[Exception]
) -> None:
    with pytest.raises(named, match=str(raised)):
        build(FakeEngine(raised, []), source, ["scones/filter:local"], AMD64, buildx=False)
