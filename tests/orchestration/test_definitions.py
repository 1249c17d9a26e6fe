"""What is written once is in every machine, and what is sent is plain Amazon States Language."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from orchestration import definitions
from orchestration.definitions import MAX_TEMPLATE_BYTES, TEMPLATE, definition, template_body
from tests.contracts.rendered import load, machines

FOLDER = TEMPLATE.parent
MACHINES = sorted(FOLDER.glob("*.asl.json"), reverse=True)
IMAGE, BATCH = (definition(FOLDER / f"classify_{name}.asl.json") for name in ("image", "batch"))


def following(state: dict[str, Any]) -> set[str]:
    choices = [*state.get("Catch", []), *state.get("Choices", []), state]
    return {name for choice in choices for name in (choice.get("Next"), choice.get("Default")) if name}


def test_the_states_of_one_image_are_the_same_in_every_machine() -> None:
    shared = json.loads((FOLDER / "image_states.json").read_text())
    one, listed, of_manifest = (machine["States"] for machine in (IMAGE, *list(machines(BATCH))[1:]))
    for name, state in shared.items():
        assert one[name] == listed[name] == state
        renamed = re.sub(r'("(?:Next|Default)": "\w+)"', r'\1OfManifest"', json.dumps(state))
        assert of_manifest[f"{name}OfManifest"] == json.loads(renamed)


def test_what_is_rendered_knows_nothing_of_our_own_words() -> None:
    assert not re.search(r'"\.\.\.\w*":', json.dumps([IMAGE, BATCH]))
    assert "DefinitionS3Location" not in template_body()


@pytest.mark.parametrize("file", MACHINES, ids=lambda path: path.stem)
def test_no_two_states_of_a_machine_share_a_name(file: Path) -> None:
    names = [name for machine in machines(definition(file)) for name in machine["States"]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("file", MACHINES, ids=lambda path: path.stem)
def test_every_state_is_reached_and_leads_on_or_ends(file: Path) -> None:
    for machine in machines(definition(file)):
        states = machine["States"]
        reached, ahead = set[str](), {machine["StartAt"]}
        while ahead:
            reached |= ahead
            ahead = {name for known in ahead for name in following(states[known])} - reached
        assert reached == set(states)
        for name, state in states.items():
            ends = [
                state["Type"] in {"Fail", "Succeed"},
                state.get("End", False),
                "Next" in state or "Choices" in state,
            ]
            assert sum(ends) == 1, name


@pytest.mark.parametrize("name", ["image", "batch"])
def test_the_template_gives_the_definition_every_substitution_and_no_more(name: str) -> None:
    machine = load(template_body())["Resources"][f"Classify{name.capitalize()}"]["Properties"]
    asked = set(re.findall(r"\$\{(\w+)\}", machine["DefinitionString"]))
    assert asked == set(machine["DefinitionSubstitutions"])


@pytest.mark.parametrize(("name", "whole"), [("ClassifyImage", IMAGE), ("ClassifyBatch", BATCH)])
def test_the_template_holds_the_definition_whole(name: str, whole: dict[str, Any]) -> None:
    sent = json.loads(load(template_body())["Resources"][name]["Properties"]["DefinitionString"])
    assert sent == definitions._uncommented(whole)


def test_nothing_but_definitions_and_comments_changes_when_the_template_is_rendered() -> None:
    def without_definitions(text: str) -> dict[str, Any]:
        template = load(text)
        for name in ("ClassifyImage", "ClassifyBatch"):
            for key in ("DefinitionS3Location", "DefinitionString"):
                template["Resources"][name]["Properties"].pop(key, None)
        body = template["Resources"]["OperationsDashboard"]["Properties"]["DashboardBody"]
        body["Sub"] = json.loads(body["Sub"])
        return template

    assert without_definitions(template_body()) == without_definitions(TEMPLATE.read_text())


def test_the_template_fits_a_request() -> None:
    assert len(template_body().encode()) < MAX_TEMPLATE_BYTES
