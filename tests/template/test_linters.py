"""The template and the definitions in it, as AWS would get them, before judges that know nothing of LocalStack."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestration import bootstrap
from orchestration.package import TEMPLATE
from tests import node_packages
from tests.contracts.rendered import load

pytest.importorskip("cfnlint", reason="the environment `template` has the linters")

CHECKOV = TEMPLATE.with_name("checkov.yaml")


def inlined(change: Callable[[dict[str, Any]], object] = lambda _: None) -> str:
    """Return the template with the definitions in it, which cfn-lint does not look for in files.

    ``change`` may alter the states of one image.
    """

    def inline(match: re.Match[str]) -> str:
        machine = json.loads(TEMPLATE.with_name(match["file"]).read_text("utf-8"))
        if match["file"].startswith("classify_image"):
            change(machine["States"])
        text = json.dumps(machine).replace("'", "''")
        return f"DefinitionString: '{text}'"

    return re.sub(r"DefinitionS3Location: (?P<file>\S+)$", inline, TEMPLATE.read_text("utf-8"), flags=re.MULTILINE)


def as_uploaded(path: Path, body: str) -> Path:
    """Write a template for the linters, which do not substitute and look for a fixed text where the partition is."""
    path.write_text(body.replace("${Partition}", "aws"), "utf-8")
    return path


def said(program: str, *arguments: str) -> str:
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False).stdout


SPOILT: dict[str, Callable[[dict[str, Any]], object]] = {
    "a task without a resource": lambda states: states["SerializeImageData"].pop("Resource"),
    "a start that is not there": lambda states: states.pop("SerializeImageData"),
}


@pytest.fixture(scope="module")
def cfn_lint_findings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Return what cfn-lint says of each template and of those with a planted fault: it takes seconds to start."""
    folder = tmp_path_factory.mktemp("cfn-lint")
    bodies = {"template": inlined(), "bootstrap": bootstrap.TEMPLATE.read_text("utf-8")}
    bodies |= {name: inlined(change) for name, change in SPOILT.items()}
    files = {name: as_uploaded(folder / f"{name}.yaml", body) for name, body in bodies.items()}
    lines = said("cfn-lint", "--format", "parseable", *map(str, files.values())).splitlines()
    return {name: {line for line in lines if line.startswith(f"{path}:")} for name, path in files.items()}


@pytest.mark.parametrize("template", ["template", "bootstrap"])
def test_cfn_lint_finds_nothing(template: str, cfn_lint_findings: dict[str, set[str]]) -> None:
    assert cfn_lint_findings[template] == set()


@pytest.mark.parametrize("fault", SPOILT)
def test_cfn_lint_finds_what_is_planted_in_a_state_machine(fault: str, cfn_lint_findings: dict[str, set[str]]) -> None:
    assert any(":E3601:" in finding for finding in cfn_lint_findings[fault])


@pytest.fixture(scope="module")
def security_findings(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    """What the security linter says of the template and of one with two holes, by file: it takes long to start."""
    folder = tmp_path_factory.mktemp("templates")
    holes = inlined().replace("BlockPublicAcls: true", "BlockPublicAcls: false")
    holes = holes.replace("VersioningConfiguration: {Status: Enabled}", "VersioningConfiguration: {Status: Suspended}")
    files = [as_uploaded(folder / "whole.yaml", inlined()), as_uploaded(folder / "holes.yaml", holes)]
    files.append(as_uploaded(folder / "bootstrap.yaml", bootstrap.TEMPLATE.read_text("utf-8")))
    output = said("checkov", "--file", *map(str, files), "--config-file", str(CHECKOV))
    assert "Passed checks" in output
    return set(re.findall(r"^Check: (\w+).*\n.*\n\s+File: .*?(\w+)\.yaml", output, re.MULTILINE))


def test_the_security_linter_finds_nothing_that_is_not_justified(security_findings: set[tuple[str, str]]) -> None:
    assert [check for check, file in security_findings if file in {"whole", "bootstrap"}] == []


def test_the_security_linter_finds_what_is_planted(security_findings: set[tuple[str, str]]) -> None:
    assert {check for check, file in security_findings if file == "holes"} == {"CKV_AWS_21", "CKV_AWS_53"}


def test_every_exception_is_justified_in_its_own_line() -> None:
    skipped = [line for line in CHECKOV.read_text("utf-8").splitlines() if line.strip().startswith("- CKV")]
    assert skipped
    assert all(re.fullmatch(r"  - CKV_AWS_\d+ +# .{20,}", line) for line in skipped)


# What AWS has and the specification of the language, which statelint holds to, has not:
# https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
BEYOND_THE_SPECIFICATION = {
    'Field "Label" not allowed in State Machine.States.ClassifyPrefix',
    'Field "Label" not allowed in State Machine.States.ClassifyManifest',
    'Field "InputType" not allowed in State Machine.States.ClassifyManifest.ItemReader.ReaderConfig',
}


def sent(resource: str) -> dict[str, Any]:
    """Return a definition as CloudFormation hands it on: with every substitution made."""
    properties = load(TEMPLATE.read_text("utf-8"))["Resources"][resource]["Properties"]
    text = TEMPLATE.with_name(properties["DefinitionS3Location"]).read_text("utf-8")
    for name in properties["DefinitionSubstitutions"]:
        text = text.replace(f"${{{name}}}", SUBSTITUTES.get(name, f"a-{name}"))
    machine: dict[str, Any] = json.loads(text)
    return machine


SUBSTITUTES = {"Partition": "aws", "ItemExecutionType": "EXPRESS", "Defaults": "[0.94, 16, 100]"}


def statelint_findings(folder: Path, machine: dict[str, Any]) -> set[str]:
    path = folder / "machine.json"
    path.write_text(json.dumps(machine), "utf-8")
    lines = [line.strip() for line in said("statelint", str(path)).splitlines()]
    return {line for line in lines if line and not re.fullmatch(r"(One error|\d+ errors):", line)}


@pytest.mark.parametrize("resource", ["ClassifyImage", "ClassifyBatch"])
def test_statelint_finds_nothing_that_aws_does_not_have(resource: str, tmp_path: Path) -> None:
    expected = BEYOND_THE_SPECIFICATION if resource == "ClassifyBatch" else set()
    assert statelint_findings(tmp_path, sent(resource)) == expected


def reader(machine: dict[str, Any]) -> dict[str, Any]:
    return dict(machine["States"]["ClassifyPrefix"]["ItemProcessor"]["States"])


PLANTED: dict[str, Callable[[dict[str, Any]], object]] = {
    "a next that is not there": lambda batch: reader(batch)["ClassifyImageData"].update(Next="Nowhere"),
    "a state that nothing leads to": lambda batch: reader(batch)["ClassifyImageData"].update(Next="ImageFailed"),
    "a retry that is a negative number": lambda batch: reader(batch)["FilterInferences"]["Retry"][0].update(
        MaxAttempts=-6
    ),
    "a path that is none": lambda batch: reader(batch)["ImageFailed"].update(ErrorPath="Error"),
    "a word that the language does not have": lambda batch: batch["States"]["ClassifyPrefix"].update(ItemSelektor={}),
}


@pytest.mark.parametrize("change", PLANTED.values(), ids=PLANTED)
def test_statelint_finds_what_is_planted_inside_the_map(
    change: Callable[[dict[str, Any]], object], tmp_path: Path
) -> None:
    machine = sent("ClassifyBatch")
    change(machine)
    assert statelint_findings(tmp_path, machine) > BEYOND_THE_SPECIFICATION


def asl_validator_findings(folder: Path, machine: dict[str, Any]) -> set[str]:
    path = folder / "machine.json"
    path.write_text(json.dumps(machine), "utf-8")
    program = node_packages.installed() / "node_modules" / ".bin" / "asl-validator"
    done = subprocess.run([program, "--json-path", path], capture_output=True, text=True, timeout=600, check=False)
    findings = set(re.findall(r"^ ([A-Z_]+): ", done.stdout + done.stderr, re.MULTILINE))
    assert bool(done.returncode) == bool(findings), done.stderr
    return findings


def test_asl_validator_finds_nothing_in_any_committed_state_machine(tmp_path: Path) -> None:
    shipped = {"classify_image": sent("ClassifyImage"), "classify_batch": sent("ClassifyBatch")}
    root = TEMPLATE.parents[1]
    committed = [path for path in root.glob("*/**/*.asl.json") if not set(path.parts) & {".tox", ".venv", "out"}]
    assert {path.name.partition(".")[0] for path in committed} > set(shipped)
    for path in committed:
        machine = shipped.get(path.name.partition(".")[0]) or json.loads(path.read_text("utf-8"))
        assert asl_validator_findings(tmp_path, machine) == set(), path


# It takes a reference path for any text.
FOUND_BY_ASL_VALIDATOR = [name for name in PLANTED if name != "a path that is none"]


@pytest.mark.parametrize("planted", FOUND_BY_ASL_VALIDATOR)
def test_asl_validator_finds_what_is_planted_inside_the_map(planted: str, tmp_path: Path) -> None:
    machine = sent("ClassifyBatch")
    PLANTED[planted](machine)
    assert asl_validator_findings(tmp_path, machine)
