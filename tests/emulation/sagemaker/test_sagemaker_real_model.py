"""The model that comes with the repository, served by the production server, behind the emulator."""

import io
import json
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from PIL import Image

from tests.emulation.sagemaker.harness import ROOT, Emulator, archive

SHIPPED = ROOT / "training" / "vehicle_net" / "shipped"


def picture(size: tuple[int, int], kind: str) -> bytes:
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
        answer = runtime.invoke_endpoint(
            EndpointName="vehicles",
            Body=picture(size, kind),
            ContentType=f"image/{kind.lower()}",
            Accept="application/json",
        )
        bicycle, motorcycle = json.loads(answer["Body"].read())
        assert abs(bicycle + motorcycle - 1) < 1e-5
    with pytest.raises(runtime.exceptions.ModelError) as caught:
        runtime.invoke_endpoint(EndpointName="vehicles", Body=b"no picture", ContentType="image/png")
    assert caught.value.response["OriginalStatusCode"] == 400
    assert emulator.process is not None
    servers = psutil.Process(emulator.process.pid).children(recursive=True)
    assert servers
    emulator.stop(signal.SIGKILL)
    _, alive = psutil.wait_procs(servers, timeout=10)
    assert alive == []
