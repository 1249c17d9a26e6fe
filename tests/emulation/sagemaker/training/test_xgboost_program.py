"""What the program asks of XGBoost; tests/clients runs the real one, which this interpreter does not have."""

import json
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from emulation.sagemaker.training.xgboost_algorithm import METRICS
from emulation.sagemaker.training.xgboost_program import main


class XGBoost(ModuleType):
    """Trains one round, and remembers its arguments."""

    callback = SimpleNamespace(TrainingCallback=object)

    def __init__(self) -> None:
        super().__init__("xgboost")
        self.calls: list[tuple[Any, ...]] = []

    def DMatrix(self, features: Any, label: Any) -> SimpleNamespace:  # noqa: N802 - XGBoost's
        return SimpleNamespace(features=features.tolist(), label=list(label))

    def train(self, parameters: Any, matrix: Any, rounds: int, *, evals: Any, callbacks: Any, **more: Any) -> Any:
        self.calls.append((parameters, matrix, rounds, evals, more["early_stopping_rounds"]))
        callbacks[0].after_iteration(None, 0, {name: {"auc": [0.98]} for _, name in evals})
        return SimpleNamespace(save_raw=lambda _format: b"{}")


@pytest.fixture
def xgboost(monkeypatch: pytest.MonkeyPatch) -> XGBoost:
    module = XGBoost()
    monkeypatch.setitem(sys.modules, "xgboost", module)
    return module


def prepare(folder: Path, hyperparameters: dict[str, str], **content_types: str) -> dict[str, str]:
    """Write a job's files, and return its environment."""
    (folder / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    channels = {name: {"ContentType": kind} for name, kind in content_types.items()}
    (folder / "inputdataconfig.json").write_text(json.dumps(channels))
    for name in channels:
        (folder / name).mkdir()
        (folder / name / "a.csv").write_text("1,0.5,2\n0,0.25,3\n")
    paths = {f"SM_CHANNEL_{name.upper()}": str(folder / name) for name in channels}
    return {"SM_INPUT_CONFIG_DIR": str(folder), "SM_MODEL_DIR": str(folder), **paths}


def test_the_label_is_the_first_column_and_hyperparameters_are_xgboosts_own(
    xgboost: XGBoost, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hyperparameters = {
        "num_round": "7",
        "early_stopping_rounds": "3",
        "eval_metric": "['auc', 'error']",
        "max_depth": "5",
    }
    assert main(prepare(tmp_path, hyperparameters, train="text/csv", validation="csv")) is None
    ((parameters, matrix, rounds, evals, early_stopping),) = xgboost.calls
    assert parameters == {"max_depth": "5", "eval_metric": ["auc", "error"]}
    assert (matrix.features, matrix.label) == ([[0.5, 2.0], [0.25, 3.0]], [1.0, 0.0])
    assert (rounds, early_stopping, [name for _, name in evals]) == (7, 3, ["train", "validation"])
    assert (tmp_path / "xgboost-model").read_bytes() == b"{}"
    line = capsys.readouterr().out.strip()
    assert line == "[0]#011train-auc:0.98000#011validation-auc:0.98000"
    read = {metric["Name"] for metric in METRICS if re.search(metric["Regex"], line)}
    assert read == {"train:auc", "validation:auc"}


@pytest.mark.parametrize(
    ("hyperparameters", "channels", "reason"),
    [
        ({}, {"train": "csv"}, "num_round is required"),
        ({"num_round": "1"}, {"validation": "csv"}, "Channel train is required"),
        ({"num_round": "1"}, {"train": "application/x-parquet"}, "Content type application/x-parquet of channel train"),
    ],
)
def test_what_is_wrong_with_a_job_is_said(
    xgboost: XGBoost, tmp_path: Path, hyperparameters: dict[str, str], channels: dict[str, str], reason: str
) -> None:
    assert reason in str(main(prepare(tmp_path, hyperparameters, **channels)))
    assert xgboost.calls == []
