"""The model that comes with the repository, served by the production server, behind the emulator."""

import io
import json
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from PIL import Image

from tests.emulation.fakes.s3 import FakeS3
from tests.emulation.sagemaker.emulator import ROLE, ROOT, Emulator, archive
from tests.emulation.sagemaker.training_requests import BUILTIN, ENOUGH, ended, logged, request, stage

SHIPPED = ROOT / "training" / "vehicle_net" / "shipped"


def image_bytes(size: tuple[int, int], kind: str) -> bytes:
    content = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(content, kind)
    return content.getvalue()


def files(directory: Path) -> dict[str, bytes]:
    return {name: (directory / name).read_bytes() for name in ("model.onnx", "model.json")}


def test_the_shipped_model_answers_and_ends_with_the_emulator(make_emulator: Callable[..., Emulator]) -> None:
    emulator = make_emulator(program=("-m", "emulation.sagemaker")).start()
    emulator.endpoint("vehicles", archive(files(SHIPPED)))
    runtime = emulator.client("sagemaker-runtime")
    for size, kind in (((32, 32), "PNG"), ((640, 480), "JPEG")):
        response = runtime.invoke_endpoint(
            EndpointName="vehicles",
            Body=image_bytes(size, kind),
            ContentType=f"image/{kind.lower()}",
            Accept="application/json",
        )
        bicycle, motorcycle = json.loads(response["Body"].read())
        assert abs(bicycle + motorcycle - 1) < 1e-5
    with pytest.raises(runtime.exceptions.ModelError) as caught:
        runtime.invoke_endpoint(EndpointName="vehicles", Body=b"no image", ContentType="image/png")
    assert caught.value.response["OriginalStatusCode"] == 400
    assert emulator.process is not None
    servers = psutil.Process(emulator.process.pid).children(recursive=True)
    assert servers
    emulator.stop(signal.SIGKILL)
    _, alive = psutil.wait_procs(servers, timeout=600)
    assert alive == []


@pytest.mark.torch
def test_the_built_in_algorithms_stand_in_trains_a_model_that_serves(
    make_emulator: Callable[..., Emulator], s3: FakeS3
) -> None:
    emulator = make_emulator(program=("-m", "emulation.sagemaker")).start()
    hyperparameters = ENOUGH | {"epochs": "2", "mini_batch_size": "2"}
    checkpoints = {"S3Uri": "s3://out/checkpoints"}
    parameters = request(
        "a", BUILTIN, 200, HyperParameters=hyperparameters, InputDataConfig=stage(s3, "a"), CheckpointConfig=checkpoints
    )
    sagemaker = emulator.client("sagemaker")
    sagemaker.create_training_job(**parameters)
    described = ended(emulator, "a")
    assert described["TrainingJobStatus"] == "Completed", described["FailureReason"]
    metrics = {metric["MetricName"] for metric in described["FinalMetricDataList"]}
    assert metrics >= {"train:accuracy", "validation:accuracy"}
    assert any(line.startswith("Epoch[1] Validation-accuracy=") for line in logged(s3, "a"))
    assert [key for key in s3.objects if key.startswith("out/checkpoints/")]

    container = {"Image": "i", "ModelDataUrl": described["ModelArtifacts"]["S3ModelArtifacts"]}
    sagemaker.create_model(ModelName="a", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    emulator.config("a", "a")
    sagemaker.create_endpoint(EndpointName="a", EndpointConfigName="a")
    emulator.wait("a")
    response = emulator.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="a", Body=image_bytes((32, 32), "PNG"), ContentType="image/png", Accept="application/json"
    )
    assert abs(sum(json.loads(response["Body"].read())) - 1) < 1e-5
