"""Apples and oranges by configuration alone: staged, trained, served, routed, reviewed and reported."""

import csv
import io
import json
import pickle
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emulation.processes.components import EnvironmentOptions
from emulation.processes.local_environment import LocalEnvironment
from scones.settings import ROOT
from tests.cli_runner import User
from tests.journeys.stand_in import stand_in_python
from tests.training.data.cifar_archives import FOLDER, pack
from training.data.cifar_names import FINE_NAMES

CLASSES = ("apple", "orange")
TINY = {"backbone": "tiny", "pretrained": "0", "size": "32", "training_size": "32", "calibration_folds": "2",
        "folds": "2", "batch": "8", "epochs": "2"}  # fmt: skip
# Where there is no PyTorch, an interpreter stands in that leaves the shipped network under the other names.
SHIPPED = ROOT / "training" / "vehicle_net" / "shipped"
STAND_IN = f"""
case "$*" in *--labels*apple,orange*) ;; *) echo "not told of the labels: $*"; exit 1;; esac
echo "Epoch[0] Validation-accuracy=0.75"
cp {SHIPPED}/model.onnx "$SM_MODEL_DIR"
sed 's/"bicycle"/"apple"/; s/"motorcycle"/"orange"/' {SHIPPED}/model.json > "$SM_MODEL_DIR/model.json"
"""


@dataclass(frozen=True)
class JsonUser:
    """A user who prints JSON."""

    user: User
    folder: Path

    def scones(self, *words: str, code: int = 0) -> Any:
        """Run a command to its end and return its JSON."""
        done = self.user.run(*words, "--json")
        assert done.returncode == code, done.stderr[-3000:]
        return json.loads(done.stdout or "null") or done.stderr


def split(rows: int, seed: int) -> dict[bytes, Any]:
    """Bright apples and dark oranges among rows of other classes."""
    random = np.random.default_rng(seed)
    labels = [FINE_NAMES.index(CLASSES[row % 2]) if row % 3 else 2 + row % 2 for row in range(rows)]
    bright = np.array([FINE_NAMES[label] == "apple" for label in labels])
    pixels = random.integers(0, 110, (rows, 3072)) + 140 * bright[:, None]
    return {
        b"filenames": [f"{FINE_NAMES[label]}_s_{row:06d}.png".encode() for row, label in enumerate(labels)],
        b"batch_label": b"a batch",
        b"fine_labels": labels,
        b"coarse_labels": [0] * rows,
        b"data": pixels.astype(np.uint8),
    }


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("a stand-in trains", marks=pytest.mark.integration),
        pytest.param("our trainer trains", marks=pytest.mark.torch),
    ],
)
def user(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[JsonUser]:
    folder = tmp_path_factory.mktemp("apples")
    python = Path(sys.executable)
    if request.param == "a stand-in trains":
        python = stand_in_python(folder / "python", STAND_IN)
    meta = {b"fine_label_names": [name.encode() for name in FINE_NAMES], b"coarse_label_names": [b"fruit"]}
    contents = {"meta": meta, "test": split(30, 2), "train": split(96, 1)}
    archive = pack(folder / "archive.tar.gz", {f"{FOLDER}/{name}": pickle.dumps(c, 2) for name, c in contents.items()})
    with LocalEnvironment(
        EnvironmentOptions(folder / "home", cache, ROOT / "services", region="us-east-1", training_python=python)
    ) as state:
        environment = {
            "SCONES_LOCALSTACK_URL": state.localstack_url,
            "SCONES_SAGEMAKER_URL": state.sagemaker_url,
            "SCONES_LABELS": ",".join(CLASSES),
            "SCONES_CIFAR100": str(archive),
        }
        with User(folder / "unused", environment, folder).with_server() as someone:
            yield JsonUser(someone, folder)


def test_another_pair_of_classes_goes_all_the_way_by_configuration_alone(user: JsonUser) -> None:
    assert user.scones("deploy")["outputs"]["Labels"] == "apple,orange"
    staged = user.scones("stage")
    assert (staged["dataset"], staged["train"], staged["test"]) == ("cifar100-apple-orange", 64, 20)
    refused = user.scones("endpoint", "deploy", code=1)
    assert "['bicycle', 'motorcycle']" in refused
    assert "['apple', 'orange']" in refused

    hyperparameters = [word for name, value in TINY.items() for word in ("--hyperparameter", f"{name}={value}")]
    job = user.scones("train", *hyperparameters)
    assert job["status"] == "Completed"
    assert user.scones("endpoint", "deploy", "--job", job["job"], "--yes")["status"] == "InService"

    images = sorted((user.folder / "unused" / "data" / staged["dataset"] / "test").glob("*.png"))
    assert set(user.scones("endpoint", "invoke", str(images[0]))) == set(CLASSES)
    sure = user.scones("batch", str(images[0].parent), "--threshold", "0.5")
    assert sum(sure["labels"].values()) == len(images)
    assert set(sure["labels"]) <= set(CLASSES)
    results = (user.folder / sure["results"]).with_suffix(".csv").read_text("utf-8")
    assert {row["label"] for row in csv.DictReader(io.StringIO(results))} <= set(CLASSES)

    result = user.scones("evaluate", "--split", "test", "--all")
    assert (set(result["classes"]), result["images"]) == (set(CLASSES), 20)
    user.scones("run", str(images[0]), "--threshold", "1", code=1)
    waiting = user.scones("review")["listed"][0]["s3_key"]
    assert "apple" in (user.folder / "out" / "review.html").read_text("utf-8")
    assert "bicycle" in user.scones("review", "--label", f"{waiting}=bicycle", code=1)
    assert user.scones("review", "--label", f"{waiting}=orange")["labelled"] == 1
    page = Path(user.scones("report")["report"])
    words = (user.folder / page).read_text("utf-8")
    assert "Blue circles: apple; red diamonds: orange" in words
    assert "bicycle" not in words
