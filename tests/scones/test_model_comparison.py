"""A training job's model next to the one that is served, on the images of the job's validation channel."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.labels import VEHICLES
from tests.scones.conftest import Cli
from tests.scones.fake_cloudformation import CloudFormation
from tests.scones.fake_session import FakeSession
from tests.scones.fakes import S3, SageMaker, Scaling, Scheduler
from tests.training.serving.tiny_network import tiny_network
from training.vehicle_net.package import REQUIRED, package

DATASET = "data/datasets/vehicles"
JOB_MODEL = "data/training/model.tar.gz"
PYTORCH = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.8.0-cpu-py312"
BUILTIN = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"


class Completed(SageMaker):
    """A training job that has completed on the staged dataset."""

    def __init__(self, training_image: str = PYTORCH) -> None:
        super().__init__()
        self.training_image = training_image

    def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:  # noqa: N803
        channels = {"train": "train/", "validation": "test/", "validation_lst": "test.lst"}
        return super().describe_training_job(TrainingJobName) | {
            "TrainingJobName": TrainingJobName,
            "TrainingJobStatus": "Completed",
            "SecondaryStatus": "Completed",
            "AlgorithmSpecification": {"TrainingImage": self.training_image, "TrainingInputMode": "File"},
            "ResourceConfig": {"VolumeSizeInGB": 1},
            "StoppingCondition": {},
            "InputDataConfig": [
                {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}
                for name, uri in ((name, f"s3://{DATASET}/{key}") for name, key in channels.items())
            ],
        }


def square(colour: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(content, "PNG")
    return content.getvalue()


def artifact(folder: Path) -> bytes:
    """A model.tar.gz for which red is a bicycle, blue a motorcycle, and neither of green."""
    folder.mkdir()
    description: dict[str, Any] = {name: {} for name in REQUIRED}
    description |= {"format": 1, "labels": list(VEHICLES), "preprocessing": {"size": 16}}
    (folder / "model.json").write_text(json.dumps(description))
    (folder / "model.onnx").write_bytes(tiny_network(16))
    return package(folder, folder / "model.tar.gz").read_bytes()


@pytest.fixture
def s3(tmp_path: Path) -> S3:
    """A staged dataset of forty test images and two of neither, and a job's model that is right about all of them."""
    squares = {f"{number}.png": number % 2 for number in range(40)}
    objects = {f"{DATASET}/test/{name}": square(("red", "blue")[label]) for name, label in squares.items()}
    objects |= {f"{DATASET}/other_test/{number}.png": square("lime") for number in range(2)}
    listing = "".join(f"{number}\t{label}\t{name}\n" for number, (name, label) in enumerate(squares.items()))
    objects[f"{DATASET}/test.lst"] = listing.encode()
    objects[f"{DATASET}/other_test.lst"] = b"0\t2\t0.png\n1\t2\t1.png\n"
    objects[JOB_MODEL] = artifact(tmp_path / "artifact")
    return S3(**objects)


def session_with(s3: S3, sagemaker: SageMaker) -> FakeSession:
    return FakeSession(
        cloudformation=CloudFormation(), s3=s3, sagemaker=sagemaker,
        application_autoscaling=Scaling(), scheduler=Scheduler(),
    )  # fmt: skip


def serve(s3: S3, sagemaker: SageMaker, cli: Cli) -> FakeSession:
    """Deploy the job's own model, before the job has run."""
    session = session_with(s3, sagemaker)
    assert cli("endpoint", "deploy", "--artefact", f"s3://{JOB_MODEL}", session=session).exit_code == 0
    return session


def test_a_model_compared_with_the_same_one_in_service_differs_by_nothing(s3: S3, cli: Cli) -> None:
    result = cli("evaluate", "--job", "again", "--json", session=serve(s3, Completed(), cli))
    assert result.exit_code == 0, (result.output, result.exception)
    actual = json.loads(result.stdout)
    assert (actual["accuracy"]["n"], actual["neither_accepted"]["n"]) == (40, 2)
    assert actual["accuracy"]["value"] == actual["neither_accepted"]["value"] == 0
    assert (actual["compared_with"], actual["better"]) == (f"s3://{JOB_MODEL}", False)
    assert actual["dataset"] == f"s3://{DATASET}"


def test_without_an_endpoint_the_old_model_is_the_shipped_one(s3: S3, cli: Cli) -> None:
    result = cli("evaluate", "--job", "first", session=session_with(s3, Completed()))
    assert result.exit_code == 0, (result.output, result.exception)
    assert "the shipped model, accuracy" in result.stdout
    assert "the new model is better" in result.stdout


def test_without_images_of_neither_only_accuracy_is_compared(s3: S3, cli: Cli) -> None:
    del s3.objects["data", "datasets/vehicles/other_test.lst"]
    result = cli("evaluate", "--job", "again", session=serve(s3, Completed(), cli))
    assert result.exit_code == 0, (result.output, result.exception)
    assert "no images of other classes are staged" in result.stdout
    assert "not shown to be better" in result.stdout


@pytest.mark.parametrize(
    ("sagemaker", "body", "reason"),
    [
        (Completed(BUILTIN), None, "only models of the recipe vehicle-net"),
        (Completed(), b"no archive", "cannot be loaded"),
    ],
    ids=["builtin", "damaged"],
)
def test_a_model_that_cannot_be_run_here_is_an_error_that_says_why(
    sagemaker: SageMaker, body: bytes | None, reason: str, s3: S3, cli: Cli
) -> None:
    if body:
        s3.objects["data", "training/model.tar.gz"] = body
    result = cli("evaluate", "--job", "j", session=session_with(s3, sagemaker))
    assert result.exit_code == 1
    assert reason in str(result.exception)


@pytest.mark.parametrize(
    ("answer", "words", "deployed"), [("n\n", [], False), ("y\n", [], True), ("", ["--yes"], True), ("", [], False)]
)
def test_a_model_that_is_not_better_is_deployed_only_on_request(
    answer: str, words: list[str], deployed: bool, s3: S3, cli: Cli
) -> None:
    session = serve(s3, Completed(), cli)
    updates = session.requests["sagemaker.create_model"]
    command = ("endpoint", "deploy", "--job", "again", "--instance-type", "ml.m5.2xlarge")
    result = cli(*command, *words, session=session, answer=answer)
    assert "accuracy: +0.0 points" in result.stderr
    assert (session.requests["sagemaker.create_model"] > updates) is deployed
    assert (result.exit_code == 0) is deployed


def test_a_better_model_is_deployed_without_a_question(s3: S3, cli: Cli) -> None:
    sagemaker = Completed()
    result = cli("endpoint", "deploy", "--job", "good", session=session_with(s3, sagemaker))
    assert result.exit_code == 0, (result.output, result.exception)
    assert "the new model is better" in result.stderr
    assert sagemaker.model["PrimaryContainer"]["ModelDataUrl"] == f"s3://{JOB_MODEL}"


def test_a_job_of_the_built_in_algorithm_is_deployed_without_a_comparison(s3: S3, cli: Cli) -> None:
    sagemaker = Completed(BUILTIN)
    result = cli("endpoint", "deploy", "--job", "builtin", session=session_with(s3, sagemaker))
    assert result.exit_code == 0, (result.output, result.exception)
    assert "not compared" in result.stderr
    assert sagemaker.endpoint is not None
