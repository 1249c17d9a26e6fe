import sys
from pathlib import Path

import pytest

from emulation.sagemaker.frameworks import ensure_interpreter, not_emulated, repository

DEEP_LEARNING = "763104351884.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (f"{DEEP_LEARNING}/djl-inference:0.31.0-lmi13.0.0-cu124", "djl"),
        (f"{DEEP_LEARNING}/huggingface-pytorch-tgi-inference:2.4.0-tgi2.4.0-gpu-py311", "tgi"),
        ("007439368137.dkr.ecr.us-east-2.amazonaws.com/sagemaker-tritonserver:24.03-py3", "triton"),
        (f"{DEEP_LEARNING}/tensorflow-inference:2.16-cpu", "tensorflow"),
        (f"{DEEP_LEARNING}/pytorch-inference-neuronx:2.5.1", "neuron"),
        (f"{DEEP_LEARNING}/pytorch-inference:2.6.0-cpu-py312", None),
        (f"{DEEP_LEARNING}/huggingface-pytorch-inference:2.6.0-transformers4.49.0-cpu-py312", None),
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5", None),
        ("localhost:5000/team/mine:1", None),
    ],
)
def test_containers_that_cannot_be_run_are_known_by_their_repository(image: str, kind: str | None) -> None:
    assert not_emulated(image) == kind


def test_a_repository_is_the_last_part_without_tag_and_digest() -> None:
    assert repository("localhost:5000/team/Mine:1") == repository("mine@sha256:0") == "mine"


def test_an_image_of_ones_own_gets_this_interpreter(tmp_path: Path) -> None:
    assert ensure_interpreter("localhost:5000/team/mine:1", tmp_path, print) == Path(sys.executable)
