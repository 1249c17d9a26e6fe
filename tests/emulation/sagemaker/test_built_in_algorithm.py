"""The built-in algorithm's stand-in reaches what AWS's reaches, with the hyperparameters that notebooks publish."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.emulation.fakes.s3 import FakeS3
from tests.emulation.sagemaker.emulator import Emulator
from tests.emulation.sagemaker.record_files import image_record, recorded
from tests.emulation.sagemaker.training_requests import BUILTIN, channel, ended, logged, request
from training.data.cifar_archive import read_classes
from training.data.labelled_images import LabelledImage
from training.data.staging import encode_png

PUBLISHED = {
    "image_shape": "3,32,32",
    "num_classes": "2",
    "num_training_samples": "1000",
    "num_layers": "20",
    "learning_rate": "0.1",
}
CHANNELS = {"train": "train", "test": "validation"}


@pytest.fixture(scope="module")
def vehicles() -> dict[str, list[LabelledImage]]:
    path = os.environ.get("SCONES_CIFAR100")
    if path is None:
        pytest.skip("SCONES_CIFAR100 names no archive")
    images = read_classes(Path(path))
    return {split: [image for image in images if image.split == split] for split in CHANNELS}


def listed(s3: FakeS3, vehicles: dict[str, list[LabelledImage]]) -> list[dict[str, Any]]:
    """PNG files and .lst files; return the channels."""
    channels = []
    for split, name in CHANNELS.items():
        for number, image in enumerate(vehicles[split]):
            s3.objects[f"data/lst/{name}/{number}.png"] = encode_png(image)
        lines = [f"{number}\t{image.label}\t{number}.png" for number, image in enumerate(vehicles[split])]
        s3.objects[f"data/lst/{name}.lst"] = "\n".join(lines).encode()
        channels += [channel(name, f"s3://data/lst/{name}/"), channel(f"{name}_lst", f"s3://data/lst/{name}.lst")]
    return channels


def in_records(s3: FakeS3, vehicles: dict[str, list[LabelledImage]]) -> list[dict[str, Any]]:
    """A RecordIO file each of JPEG images, im2rec's default; return the channels."""
    for split, name in CHANNELS.items():
        records = [
            image_record(float(image.label), number, as_jpeg(image)) for number, image in enumerate(vehicles[split])
        ]
        s3.objects[f"data/rec/{name}/{name}.rec"] = recorded(records)
    return [channel(name, f"s3://data/rec/{name}/", "application/x-recordio") for name in CHANNELS.values()]


def as_jpeg(image: LabelledImage) -> bytes:
    content = io.BytesIO()
    Image.open(io.BytesIO(encode_png(image))).save(content, "JPEG", quality=95)
    return content.getvalue()


@pytest.mark.torch
@pytest.mark.cifar
def test_images_from_lst_and_from_recordio_files_are_learnt_as_well_as_on_aws(
    make_emulator: Callable[..., Emulator], s3: FakeS3, vehicles: dict[str, list[LabelledImage]]
) -> None:
    emulator = make_emulator().start()
    for job, stage in (("lst", listed), ("rec", in_records)):
        sent = request(job, BUILTIN, 3600, HyperParameters=PUBLISHED, InputDataConfig=stage(s3, vehicles))
        emulator.client("sagemaker").create_training_job(**sent)
    for job in ("lst", "rec"):
        described, log = ended(emulator, job), logged(s3, job)
        assert described["TrainingJobStatus"] == "Completed", log
        accuracies = {metric["MetricName"]: metric["Value"] for metric in described["FinalMetricDataList"]}
        print(job, accuracies, described["TrainingTimeInSeconds"], "s")
        assert accuracies["validation:accuracy"] >= 0.80
        for name in ("num_layers=20", "learning_rate=0.1"):
            assert any(line.startswith(f"[emulator] hyperparameter {name} is ignored") for line in log)
        assert sum(" Validation-accuracy=" in line for line in log) == 30
