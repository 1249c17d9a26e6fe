"""Trains as AWS's built-in algorithm XGBoost does. A separate program: its interpreter has XGBoost, not our packages.

Channels ``train`` and ``validation``, CSV with the label first or libsvm; every hyperparameter but num_round and
early_stopping_rounds is XGBoost's own. https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost_hyperparameters.html
"""

import importlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_CSV, _LIBSVM = frozenset({"csv", "text/csv"}), frozenset({"", "libsvm", "text/libsvm", "text/x-libsvm"})
_OF_THE_CONTAINER = frozenset(
    {"csv_weights", "deterministic_histogram", "save_model_on_termination", "sagemaker_job_name", "sagemaker_region"}
)


def main(environment: Mapping[str, str] = os.environ) -> str | None:
    """Train and save ``xgboost-model``; return what is wrong with the job, if anything."""
    xgboost = importlib.import_module("xgboost")
    config = Path(environment["SM_INPUT_CONFIG_DIR"])
    parameters = json.loads((config / "hyperparameters.json").read_text())
    channels = json.loads((config / "inputdataconfig.json").read_text())
    if "num_round" not in parameters:
        return "Hyperparameter num_round is required."
    if "train" not in channels:
        return "Channel train is required."
    rounds, early_stopping = int(parameters.pop("num_round")), parameters.pop("early_stopping_rounds", None)
    parameters = {name: value for name, value in parameters.items() if name not in _OF_THE_CONTAINER}
    metrics = [word for word in parameters.pop("eval_metric", "").replace("[", "").replace("]", "").split(",") if word]
    watched = []
    for name in ("train", "validation"):
        if name in channels:
            kind = channels[name]["ContentType"].partition(";")[0].strip().lower()
            if kind not in _CSV | _LIBSVM:
                return f"Content type {kind} of channel {name} is not emulated, only CSV and libsvm."
            watched.append((_matrix(xgboost, Path(environment[f"SM_CHANNEL_{name.upper()}"]), kind), name))
    booster = xgboost.train(
        {**parameters, "eval_metric": [word.strip(" '\"") for word in metrics]} if metrics else parameters,
        watched[0][0],
        rounds,
        evals=watched,
        early_stopping_rounds=None if early_stopping is None else int(early_stopping),
        verbose_eval=False,
        callbacks=[_log(xgboost)],
    )
    Path(environment["SM_MODEL_DIR"], "xgboost-model").write_bytes(booster.save_raw("json"))
    return None


def _matrix(xgboost: Any, folder: Path, kind: str) -> Any:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if kind in _CSV:
        pandas = importlib.import_module("pandas")
        rows = pandas.concat([pandas.read_csv(file, header=None) for file in files]).to_numpy()
        return xgboost.DMatrix(rows[:, 1:], label=rows[:, 0])
    loaded = importlib.import_module("sklearn.datasets").load_svmlight_files(files)
    features = importlib.import_module("scipy.sparse").vstack(loaded[0::2])
    return xgboost.DMatrix(features, label=[label for labels in loaded[1::2] for label in labels])


def _log(xgboost: Any) -> Any:
    """Return a callback that prints a round's metrics as AWS's container does."""

    class Log(xgboost.callback.TrainingCallback):  # type: ignore[misc]  # XGBoost is not installed where types are checked
        def after_iteration(self, _model: Any, epoch: int, log: Mapping[str, Mapping[str, list[float]]]) -> bool:
            values = [f"{name}-{key}:{each[-1]:.5f}" for name, metrics in log.items() for key, each in metrics.items()]
            print("#011".join([f"[{epoch}]", *values]), flush=True)
            return False

    return Log()


if __name__ == "__main__":
    sys.exit(main())
