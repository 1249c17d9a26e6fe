"""The examples in docs/extending.md work, and are short."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from monitoring.evaluation import Prediction
from orchestration.generate_definitions import CLASSIFY_IMAGE
from tests.contracts.rendered import following
from tests.documents.markdown import ROOT, blocks
from training import recipes
from training.data.staging import stage

BLOCKS = list(blocks((ROOT / "docs" / "extending.md").read_text("utf-8")))


def example(word: str) -> str:
    (text,) = ["\n".join(lines) for _, language, lines in BLOCKS if language and any(word in line for line in lines)]
    return text


def run(word: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(example(word), "docs/extending.md", "exec"), names)  # noqa: S102 - our own document
    return names


def test_every_example_is_under_thirty_lines() -> None:
    assert [first for first, _, lines in BLOCKS if sum(1 for line in lines if line.strip()) >= 30] == []


def test_a_folder_of_photographs_is_staged(tmp_path: Path) -> None:
    for split, kinds in {"train": 2, "test": 1}.items():
        for name in ("bicycle", "motorcycle"):
            (tmp_path / "photos" / split / name).mkdir(parents=True)
            for number in range(kinds):
                Image.new("RGB", (40, 30), (number * 90, 10, 10)).save(tmp_path / f"photos/{split}/{name}/{number}.jpg")
    source = run("class FolderSource")["FolderSource"](tmp_path / "photos")
    staged = stage(source, tmp_path / "out")
    assert {split: len(staged.manifest.images(split)) for split in ("train", "test")} == {"train": 4, "test": 2}
    assert not stage(source, tmp_path / "out").written


def test_a_recipe_is_offered_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "RECIPES", dict(recipes.RECIPES))
    run("Recipe(")
    recipe = recipes.get_recipe("builtin-deep")
    assert recipes.build_hyperparameters(recipe, 1000)["num_layers"] == "110"
    with pytest.raises(Exception, match="layers"):
        recipes.build_hyperparameters(recipe, 1000, overrides={"layers": "1"})


@pytest.mark.parametrize("answers", [[], [Prediction(0, (0.9, 0.1)), Prediction(1, (0.2, 0.8))]])
def test_a_plot_is_drawn_and_written(answers: list[Prediction], tmp_path: Path) -> None:
    run("def confidence_histogram")["confidence_histogram"](answers).write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"histogram.png", "histogram.svg"}


def test_a_state_joins_those_of_one_image() -> None:
    states = json.loads(CLASSIFY_IMAGE.read_text("utf-8"))["States"]
    states |= json.loads(example("NotifyDispatch"))
    states["FilterInferences"]["Next"] = "NotifyDispatch"
    reached, ahead = set[str](), {"SerializeImageData"}
    while ahead:
        reached |= ahead
        ahead = {name for state in ahead for name in following(states[state])} - reached
    assert reached == set(states)
