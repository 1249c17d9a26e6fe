"""What zizmor does not check in the workflows: tox environments, interpreters, permissions."""

import configparser
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from scones import container_image_uris

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    result: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text("utf-8"))["jobs"]
    return result


def environments() -> set[str]:
    """The names of tox.ini's environments, with braces expanded."""
    parsed = configparser.RawConfigParser()
    parsed.read(ROOT / "tox.ini")
    names: set[str] = set()
    for section in parsed.sections():
        if section.startswith("testenv:"):
            names |= set(re.split(r"[{},]", section.removeprefix("testenv:")))
    return names


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def workflow(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_there_are_workflows() -> None:
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "release.yml"]


def test_every_action_is_pinned_by_its_commit_with_its_version_beside_it(workflow: Path) -> None:
    used = [line.strip() for line in workflow.read_text("utf-8").splitlines() if "uses:" in line]
    assert [line for line in used if not PINNED.search(line)] == []


def test_one_commit_of_an_action_is_used_everywhere() -> None:
    commits: dict[str, set[str]] = {}
    for path in WORKFLOWS:
        for action, commit in re.findall(r"uses: ([\w./-]+)@([0-9a-f]{40})", path.read_text("utf-8")):
            commits.setdefault(action, set()).add(commit)
    assert {action: used for action, used in commits.items() if len(used) > 1} == {}


def test_jobs_may_only_read_and_only_the_release_may_authenticate_to_aws(workflow: Path) -> None:
    assert yaml.safe_load(workflow.read_text("utf-8"))["permissions"] == {}
    for name, job in jobs(workflow).items():
        additional = {"id-token": "write"} if workflow.name == "release.yml" and name in {"images", "deploy"} else {}
        assert job["permissions"] == {"contents": "read"} | additional


def test_no_stored_key_is_used(workflow: Path) -> None:
    assert "secrets." not in workflow.read_text("utf-8")


def test_ci_runs_every_tox_environment() -> None:
    (matrix,) = (job["strategy"]["matrix"] for name, job in jobs(WORKFLOWS[0]).items() if name == "environments")
    run = {name for item in matrix["environment"] for name in item.split(",")}
    interpreters = {"py311-", "py312-", "py313-", "py314-", ""}
    # The jobs `coverage` and `compose`, the release, an idle machine; `units` by its parts.
    elsewhere = {"coverage", "sbom", "e2e", "bench", "units"}
    assert run <= environments()
    assert environments() - run - interpreters - elsewhere == set()


def test_ci_runs_the_interpreters_of_the_matrix() -> None:
    (matrix,) = (job["strategy"]["matrix"] for name, job in jobs(WORKFLOWS[0]).items() if name == "packages")
    label = re.search(r"matrix = py\{([\d,]+)\}", (ROOT / "tox.ini").read_text("utf-8"))
    assert label is not None
    assert [version.replace(".", "") for version in matrix["python"]] == label[1].split(",")


def test_every_environment_deploys_what_was_scanned_once() -> None:
    """Whatever the stack is called, its images come from the repositories to which the release has pushed."""
    release = jobs(WORKFLOWS[1])
    assert release["deploy"]["needs"] == "images"
    assert release["deploy"]["env"]["SCONES_STACK"] == "${{ vars.SCONES_STACK }}"
    assert container_image_uris.repository("filter") == "scones/filter"
