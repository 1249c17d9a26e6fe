import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from training.serving.errors import BrokenImage, InvalidModel, InvalidPreprocessing, ModelError, ModelNotFound
from training.serving.model import load

from .tiny_network import tiny_network

MakeModel = Callable[..., Path]
SHIPPED = Path(__file__).parents[3] / "training" / "vehicle_net" / "shipped"


def test_a_model_tells_its_two_classes_apart(model_dir: Path, red: bytes, blue: bytes) -> None:
    model = load(model_dir)
    bicycle, motorcycle = model.classify(red), model.classify(blue)
    assert bicycle[0] > 0.94
    assert motorcycle[1] > 0.94
    assert sum(bicycle) == pytest.approx(1)


def test_the_same_bytes_get_the_same_prediction_with_any_number_of_threads(model_dir: Path, red: bytes) -> None:
    assert load(model_dir, threads=2).classify(red) == load(model_dir).classify(red)


def test_an_image_that_cannot_be_read_is_the_callers_error(model_dir: Path, red: bytes) -> None:
    with pytest.raises(BrokenImage):
        load(model_dir).classify(red[:-30])


def test_the_shipped_model_can_be_served(red: bytes) -> None:
    assert load(SHIPPED).knows_neither
    probabilities = load(SHIPPED).classify(red)
    assert len(probabilities) == 2
    assert sum(probabilities) == pytest.approx(1, abs=1e-4)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="nowhere"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize("missing", ["model.json", "model.onnx"])
def test_a_missing_file_is_named(missing: str, make_model: MakeModel) -> None:
    folder = make_model()
    (folder / missing).unlink()
    with pytest.raises(ModelNotFound, match=missing):
        load(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}', "\x00"])
def test_a_description_that_is_not_one_is_refused(text: str, make_model: MakeModel) -> None:
    folder = make_model()
    (folder / "model.json").write_text(text)
    with pytest.raises(ModelError, match=r"model\.json"):
        load(folder)


@pytest.mark.parametrize(
    ("description", "error", "named"),
    [
        ({"format": 2}, InvalidModel, "format 1"),
        ({"labels": ["motorcycle", "bicycle"]}, InvalidModel, "'motorcycle', 'bicycle'"),
        ({"labels": None}, InvalidModel, "None"),
        ({"preprocessing": None}, InvalidPreprocessing, "None"),
        ({"preprocessing": {"size": 16, "fit": "crop"}}, InvalidPreprocessing, "crop"),
        ({"preprocessing": {"size": 24}}, InvalidModel, "24 pixels"),
    ],
)
def test_a_description_of_another_model_is_refused_and_the_value_named(
    description: dict[str, object], error: type[ModelError], named: str, make_model: MakeModel
) -> None:
    with pytest.raises(error, match=named):
        load(make_model(**description))


def test_a_model_of_other_classes_is_served_where_they_are_asked_for(make_model: MakeModel, red: bytes) -> None:
    folder = make_model(labels=["apple", "orange"])
    assert sum(load(folder, labels=("apple", "orange")).classify(red)) == pytest.approx(1)
    with pytest.raises(InvalidModel, match="'apple', 'orange'"):
        load(folder)


def test_what_a_mac_adds_to_an_archive_is_not_the_model(make_model: MakeModel, red: bytes) -> None:
    folder = make_model()
    for name in ("._model.onnx", "._model.json", ".DS_Store"):
        (folder / name).write_bytes(b"\0\5\x16\7")
    assert sum(load(folder).classify(red)) == pytest.approx(1)


def test_a_model_in_a_subfolder_of_the_archive_is_missed_by_name(make_model: MakeModel, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    make_model().rename(folder / "model")
    with pytest.raises(ModelNotFound, match=r"model\.json"):
        load(folder)


def test_a_network_of_a_newer_format_than_the_runtime_knows_is_refused_with_both_numbers(make_model: MakeModel) -> None:
    network = bytearray((SHIPPED / "model.onnx").read_bytes())
    assert network[0] == 0x08, "field 1 of ModelProto, ir_version"
    network[1] = 99
    with pytest.raises(InvalidModel, match=r"IR version: 99, max supported IR version"):
        load(make_model(bytes(network)))


def test_what_is_no_network_is_refused(make_model: MakeModel) -> None:
    with pytest.raises(InvalidModel, match=r"model\.onnx"):
        load(make_model(b"not a network"))


@pytest.mark.parametrize("location", ["weights.bin", "../weights.bin", "/etc/hostname"])
def test_a_network_that_keeps_its_weights_in_another_file_is_refused(
    location: str, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_model(tiny_network(16, weights_file=location))
    for path in (folder / "weights.bin", folder.parent / "weights.bin"):
        path.write_bytes(bytes(24))
    monkeypatch.chdir(folder)
    with pytest.raises(InvalidModel, match="another file"):
        load(folder)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"format": 1, "labels": ["bicycle", "motorcycle"], "preprocessing": ' + '{"a":' * 50_000,
        '{"format": ' + "9" * 5000 + "}",
        '{"format": 1, "padding": "' + "x" * (1 << 20) + '"}',
        '{"format": 1, "labels": ' + str(["x"] * 10_000).replace("'", '"') + "}",
        '{"format": 1, "labels": ["bicycle", "motorcycle"], "preprocessing": {"size": 16, "resample": [[]]}}',
        '{"format": 1, "labels": ["bicycle", "motorcycle"], "preprocessing": {"size": 1e999}}',
        '{"format": 1, "labels": ["bicycle", "motorcycle"], "preprocessing": {"size": 16, "' + "k" * 9000 + '": 1}}',
    ],
    ids=["nested", "cut short", "a long number", "too long", "labels", "a list", "infinity", "a long name"],
)
def test_a_hostile_description_is_refused_in_one_short_line(text: str, make_model: MakeModel) -> None:
    folder = make_model()
    (folder / "model.json").write_text(text)
    with pytest.raises(ModelError) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("names", [{"taken": "image"}, {"given": "scores"}])
def test_a_network_with_other_inputs_or_outputs_is_refused(names: dict[str, str], make_model: MakeModel) -> None:
    with pytest.raises(InvalidModel, match=next(iter(names.values()))):
        load(make_model(tiny_network(16, **names)))


@pytest.mark.parametrize("last", ["Identity", "Log"])
def test_a_network_whose_outputs_are_not_probabilities_does_not_pass_its_warm_up(
    last: str, make_model: MakeModel
) -> None:
    with pytest.raises(InvalidModel, match="probability"):
        load(make_model(tiny_network(16, last=last)))


def test_the_networks_input_is_the_preprocessed_image(model_dir: Path, red: bytes) -> None:
    model = load(model_dir)
    pixels = np.full((16, 16, 3), (200, 40, 30), dtype=np.uint8)
    assert model.predict(pixels) == model.classify(red)
    assert model.preprocessing.to_dict() == json.loads((model_dir / "model.json").read_text())["preprocessing"]
