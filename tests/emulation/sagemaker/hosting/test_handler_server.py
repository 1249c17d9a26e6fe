"""What AWS's containers do where an inference script leaves it to them."""

import asyncio
import importlib
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from emulation.sagemaker.frameworks import Interpreters
from emulation.sagemaker.hosting.deployment import ContainerPlan
from emulation.sagemaker.hosting.handler_server import CSV, JSON, NPY, Model, UnsupportedFormat, decode, encode, load
from emulation.sagemaker.hosting.inference_script import InferenceScript, find
from emulation.sagemaker.hosting.model_server import Command


@pytest.mark.parametrize(("accept", "text"), [(JSON, "[[1.0, 2.0], [3.0, 4.0]]"), (CSV, "1.0,2.0\n3.0,4.0")])
def test_text_is_decoded_and_encoded(accept: str, text: str) -> None:
    array = decode(text, f"{accept}; charset=utf-8")
    assert array.tolist() == [[1, 2], [3, 4]]
    assert encode(array, accept) == (text.encode(), accept)


def test_npy_is_decoded_and_encoded() -> None:
    content, kind = encode(np.arange(3), f"image/png, {NPY};q=0.9")
    assert kind == NPY
    assert decode(content, NPY).tolist() == [0, 1, 2]


def test_one_prediction_a_line_of_csv() -> None:
    assert encode(np.array([0.25, 0.75]), CSV)[0] == b"0.25\n0.75"


def test_other_formats_have_the_status_of_the_containers() -> None:
    with pytest.raises(UnsupportedFormat) as undecodable:
        decode(b"x", "image/png")
    with pytest.raises(UnsupportedFormat) as unaccepted:
        encode([1], "image/png")
    assert (undecodable.value.status, unaccepted.value.status) == (415, 406)


def test_bodies_of_text_are_text_and_others_bytes() -> None:
    script = SimpleNamespace(
        model_fn=lambda directory: directory, transform_fn=lambda _model, data, _kind, _accept: type(data).__name__
    )
    model = Model(script, "/somewhere")
    assert [model.invoke(b"1", kind, CSV)[0] for kind in (JSON, CSV, "image/png")] == [b"str", b"str", b"bytes"]


def test_a_handler_may_take_the_context() -> None:
    def model_fn(directory: str, context: SimpleNamespace) -> bool:
        return bool(context.system_properties["model_dir"] == directory)

    script = SimpleNamespace(model_fn=model_fn, transform_fn=lambda model, *_: str(model))
    assert Model(script, "/m").invoke(b"", JSON, JSON) == (b"True", JSON)


def test_a_model_without_a_default_needs_model_fn(tmp_path: Path) -> None:
    (tmp_path / "model.joblib").touch()
    with pytest.raises(NotImplementedError, match="Please provide a model_fn implementation"):
        load(str(tmp_path))


def test_xgboost_without_a_script_responds_in_csv_whatever_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "xgboost-model").touch()
    commands = []

    async def prepared(script: InferenceScript) -> Command:
        return await script.preparation(Interpreters("/usr/bin/python3", tmp_path))(print)

    for image in ("sagemaker-xgboost:1.7-1", "pytorch-inference:2.6.0"):
        script = find("AllTraffic", ContainerPlan(image, None, {}), tmp_path, None)
        assert script is not None
        commands.append(asyncio.run(prepared(script))(3, tmp_path))
    assert [list(command)[-2:] == ["--accept", CSV] for command in commands] == [True, False]


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # files of this format are what is served
def test_a_torchscript_file_is_served_without_a_script(tmp_path: Path) -> None:
    torch = importlib.import_module("torch")
    torch.jit.trace(torch.nn.Identity(), torch.ones(1, 2)).save(tmp_path / "model.pth")
    content, kind = Model(None, str(tmp_path)).invoke(b"[[1, 2]]", JSON, JSON)
    assert (json.loads(content), kind) == ([[1, 2]], JSON)
