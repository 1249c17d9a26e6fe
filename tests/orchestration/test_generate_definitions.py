"""The batch machine's item processors are the states of one image, and both files are sound state machines."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from orchestration.generate_definitions import CLASSIFY_BATCH, CLASSIFY_IMAGE, generate, text
from orchestration.package import TEMPLATE
from tests.contracts.rendered import following, load, machines

FILES = [CLASSIFY_IMAGE, CLASSIFY_BATCH]
IMAGE, BATCH = (json.loads(path.read_text("utf-8")) for path in FILES)


def test_the_committed_file_is_what_the_generator_writes() -> None:
    assert CLASSIFY_BATCH.read_text("utf-8") == text(generate(IMAGE, BATCH)), (
        "run `python -m orchestration.generate_definitions`"
    )


def test_a_new_state_reaches_both_item_processors() -> None:
    states = IMAGE["States"] | {
        "FilterInferences": IMAGE["States"]["FilterInferences"] | {"Next": "Notify"},
        "Notify": {"Type": "Succeed"},
    }
    _, prefix, manifest = machines(generate(IMAGE | {"States": states}, BATCH))
    assert prefix["States"]["FilterInferences"]["Next"] == "Notify"
    assert manifest["States"]["FilterInferencesOfManifest"]["Next"] == "NotifyOfManifest"
    assert prefix["States"]["Notify"] == manifest["States"]["NotifyOfManifest"] == {"Type": "Succeed"}


def test_the_states_of_one_image_are_the_same_in_every_machine() -> None:
    one, prefix, manifest = (machine["States"] for machine in (IMAGE, *list(machines(BATCH))[1:]))
    for name in set(one) - {"ConfidenceBelowThreshold"}:
        assert prefix[name] == one[name]
        renamed = re.sub(r'("(?:Next|Default)": "\w+)"', r'\1OfManifest"', json.dumps(one[name]))
        assert manifest[f"{name}OfManifest"] == json.loads(renamed)


def test_an_image_for_review_fails_its_own_execution_and_no_batch() -> None:
    one, prefix, manifest = (machine["States"] for machine in (IMAGE, *list(machines(BATCH))[1:]))
    types = [states[name]["Type"] for states in (one, prefix) for name in ("ConfidenceBelowThreshold",)]
    assert [*types, manifest["ConfidenceBelowThresholdOfManifest"]["Type"]] == ["Fail", "Pass", "Pass"]


@pytest.mark.parametrize("definition", [IMAGE, BATCH], ids=[path.name for path in FILES])
def test_no_two_states_of_a_machine_share_a_name(definition: dict[str, Any]) -> None:
    names = [name for machine in machines(definition) for name in machine["States"]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("definition", [IMAGE, BATCH], ids=[path.name for path in FILES])
def test_every_state_is_reached_and_leads_on_or_ends(definition: dict[str, Any]) -> None:
    for machine in machines(definition):
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


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_the_template_gives_the_definition_every_substitution_and_no_more(file: Path) -> None:
    name = "".join(word.capitalize() for word in file.name.removesuffix(".asl.json").split("_"))
    machine = load(TEMPLATE.read_text("utf-8"))["Resources"][name]["Properties"]
    assert machine["DefinitionS3Location"] == file.name
    substitutions = set(re.findall(r"\$\{(\w+)\}", file.read_text("utf-8")))
    assert substitutions == set(machine["DefinitionSubstitutions"])
