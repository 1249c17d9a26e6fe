"""The command line as a user drives it, against the real local stack."""

import json
import os
import pickle
import signal
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image

from tests.cli_runner import User
from tests.journeys.surroundings import ACCENTED_FOLDER, ALL_AT_ONCE
from tests.training.data import cifar_archives
from training.data.synthetic import KINDS, render

pytestmark = pytest.mark.integration
TRAIN, TEST = 20, 12


def newcomer(home: Path, cache: Path, archive: Path) -> User:
    """A user in odd surroundings of whose home nothing runs yet: the usual ports may be those of somebody else."""
    closed = {f"SCONES_{part}_URL": "http://127.0.0.1:1" for part in ("LOCALSTACK", "SAGEMAKER")}
    return User(home, {"SCONES_CACHE": str(cache), "SCONES_CIFAR100": str(archive), **closed, **ALL_AT_ONCE})


def processes(user: User) -> list[psutil.Process]:
    """Everything that was started for a user's home, by the environment that children inherit."""
    return [process for process in psutil.process_iter() if _home_of(process) == str(user.home)]


def _home_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("SCONES_HOME") if process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[User]:
    """A user whose stack is up and deployed, with a few images staged and the shipped model in service."""
    folder = tmp_path_factory.mktemp("user")
    archive = cifar_archives.pack(folder / "archive.tar.gz", cifar_archives.rendered_members(TRAIN, TEST))
    someone = newcomer(folder / ACCENTED_FOLDER, cache, archive)
    with someone.with_server() as user:
        try:
            for step in (["up", "--detach"], ["deploy"], ["stage"], ["endpoint", "deploy"]):
                response = user.run(*step)
                assert response.returncode == 0, response.stderr
            yield user
        finally:
            user.run("down")


@pytest.fixture
def fresh(tmp_path: Path, cache: Path) -> Iterator[User]:
    someone = newcomer(tmp_path / ACCENTED_FOLDER, cache, tmp_path / "no archive")
    yield someone
    someone.run("down")


def test_status_says_that_every_part_is_healthy(user: User) -> None:
    result = json.loads(user.run("status", "--json").stdout)
    assert result["health"] == dict.fromkeys(["localstack", "sagemaker", "serialize", "classify", "filter"], True)


def test_a_second_up_says_what_runs_already(user: User) -> None:
    response = user.run("up")
    assert response.returncode == 1
    assert json.loads(user.run("status", "--json").stdout)["addresses"]["localstack"] in response.stderr


def test_a_second_deploy_finds_nothing_to_change(user: User) -> None:
    response = user.run("deploy")
    assert response.returncode == 0
    assert "nothing to change" in response.stderr


def test_a_second_stage_uploads_nothing(user: User) -> None:
    result = json.loads(user.run("stage", "--json").stdout)
    assert (result["uploaded"], result["train"], result["test"]) == (0, TRAIN, TEST)


def test_a_second_endpoint_deploy_changes_nothing(user: User) -> None:
    result = json.loads(user.run("endpoint", "deploy", "--json").stdout)
    assert (result["status"], result["changed"]) == ("InService", False)


def test_a_photograph_of_twelve_megapixels_is_classified_or_reviewed(user: User, tmp_path: Path) -> None:
    Image.effect_noise((4000, 3000), 60).convert("RGB").save(tmp_path / "photo.jpg", quality=92)
    (outcome,) = json.loads(user.run("run", "--json", str(tmp_path / "photo.jpg")).stdout)
    assert outcome["status"] == "SUCCEEDED" or outcome["error"] == "ThresholdConfidenceNotMet"


def test_a_person_sees_the_cars(user: User, tmp_path: Path) -> None:
    for number in range(3):
        for kind in ("bicycle", "motorcycle", "car"):
            pixels = render(KINDS.index(kind), 81_000_000 + number, 256)
            Image.fromarray(pixels).save(tmp_path / f"{kind}-{number}.jpg", quality=85)
    outcomes = json.loads(user.run("run", "--json", str(tmp_path)).stdout)
    assert {Path(each["name"]).name for each in outcomes if each["error"] == "ThresholdConfidenceNotMet"} == {
        f"car-{number}.jpg" for number in range(3)
    }
    labels = {Path(each["name"]).stem[:-2]: each["output"]["label"] for each in outcomes if each["output"]}
    assert labels == {"bicycle": "bicycle", "motorcycle": "motorcycle"}


def test_a_file_that_is_no_image_fails_under_its_own_name_and_with_exit_code_1(user: User, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("not an image")
    response = user.run("run", "--json", str(tmp_path / "notes.png"))
    assert response.returncode == 1
    assert json.loads(response.stdout)[0]["error"] == "UnsupportedImage"


def test_a_folder_without_images_is_one_clear_line(user: User, tmp_path: Path) -> None:
    response = user.run("run", str(tmp_path))
    assert response.returncode == 1
    assert "no images" in response.stderr


class Bomb:
    """A pickle of this runs a program when it is opened without care."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {self.proof}",)


def archive(folder: Path, kind: str) -> Path:
    """Make an archive that nothing good can come of."""
    path = folder / "cifar-100-python.tar.gz"
    if kind == "directory":
        path.mkdir()
    elif kind == "truncated":
        with tarfile.open(folder / "whole.tar.gz", "w:gz") as whole:
            (folder / "train").write_bytes(os.urandom(100_000))
            whole.add(folder / "train", "cifar-100-python/train")
        path.write_bytes((folder / "whole.tar.gz").read_bytes()[:50_000])
    elif kind == "hostile":
        with tarfile.open(path, "w:gz") as packed:
            (folder / "train").write_bytes(pickle.dumps(Bomb(folder / "executed")))
            packed.add(folder / "train", "cifar-100-python/train")
    return path


@pytest.mark.parametrize("kind", ["missing", "directory", "truncated", "hostile"])
def test_a_bad_archive_is_one_clear_line_and_leaves_nothing(kind: str, user: User, tmp_path: Path) -> None:
    staged = set((user.home / "data").iterdir())
    response = user.run("stage", "--archive", str(archive(tmp_path, kind)))
    assert response.returncode == 1
    assert len(response.stderr.strip().splitlines()) == 1, response.stderr
    assert "cifar-100" in response.stderr
    assert not (tmp_path / "executed").exists()
    assert set((user.home / "data").iterdir()) == staged


def test_a_running_stack_is_used_and_left_by_the_demo(user: User, tmp_path: Path) -> None:
    response = user.run("demo", "--images", "10", "--out", str(tmp_path / "out"), "--json")
    assert response.returncode == 0, response.stderr
    result = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert result == json.loads(response.stdout)
    assert result["images"] == 19
    assert result["captured"] == result["answered"] == 15
    assert result["executions"]["SUCCEEDED"] + result["review_queue"] + result["failure_queue"] == 19
    assert result["neither"] == {"images": 5, "accepted": 0, "review": 5}
    broken = {name: count for name, count in result["errors"].items() if name != "ThresholdConfidenceNotMet"}
    assert broken == {"UnsupportedImage": 3, "ImageNotFound": 1}
    assert json.loads(user.run("status", "--json").stdout)["running"] is True


# SIGTERM becomes the interrupt of a Ctrl-C.
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_demo_that_is_killed_leaves_no_process(number: signal.Signals, fresh: User, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    with fresh.start("demo", "--synthetic", "--images", "10", "--out", out, stdout=subprocess.DEVNULL) as demo:
        assert demo.stderr is not None
        assert any("deploy" in line for line in demo.stderr), "the demo ended before it could be killed"
        assert len(processes(fresh)) > 5
        demo.send_signal(number)
        demo.wait()
    psutil.wait_procs(processes(fresh))
    assert processes(fresh) == []
    assert fresh.run("status").returncode == 3
    # Both are 130 to a shell: interrupted within exec() of a string, as dataclasses use, Python dies of SIGINT itself.
    ends = {-number} if number is signal.SIGKILL else {130, -signal.SIGINT}
    assert demo.returncode in ends
