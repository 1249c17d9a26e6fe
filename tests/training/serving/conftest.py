"""Images, a tiny model that tells red from blue, and servers of it."""

import io
import json
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image, ImageDraw

from .server_process import RunningServer, Start
from .tiny_network import tiny_network

RED, BLUE, GREEN = (200, 40, 30), (20, 50, 180), (40, 220, 60)
SIDE = 16
MODEL_JSON = {
    "format": 1,
    "labels": ["bicycle", "motorcycle"],
    "preprocessing": {"size": SIDE, "resample": "bicubic", "fit": "squash", "through": None},
    "calibration": {},
    "metrics": {},
    "provenance": {},
}


def draw_scene(width: int = 64, height: int = 64) -> Image.Image:
    """Red above blue, a green mark in the left upper corner: coarse enough to survive 8 x 8 pixels and JPEG."""
    image = Image.new("RGB", (width, height), RED)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, height // 2, width, height), fill=BLUE)
    draw.rectangle((0, 0, width // 4 - 1, height // 4 - 1), fill=GREEN)
    return image


def encode_image(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def write_model(folder: Path, network: bytes, description: Mapping[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(network)
    (folder / "model.json").write_text(json.dumps(description))
    return folder


@pytest.fixture
def scene() -> Callable[..., Image.Image]:
    return draw_scene


@pytest.fixture
def encode() -> Callable[..., bytes]:
    return encode_image


@pytest.fixture(scope="session")
def red() -> bytes:
    return encode_image(Image.new("RGB", (32, 32), RED))


@pytest.fixture(scope="session")
def blue() -> bytes:
    return encode_image(Image.new("RGB", (32, 32), BLUE))


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"), tiny_network(SIDE), MODEL_JSON)


@pytest.fixture
def make_model(tmp_path: Path) -> Callable[..., Path]:
    """A model directory that differs from the good one in what is named."""

    def make(network: bytes | None = None, **description: object) -> Path:
        return write_model(tmp_path / "model", network or tiny_network(SIDE), MODEL_JSON | description)

    return make


@pytest.fixture
def start(model_dir: Path) -> Iterator[Start]:
    """Start servers that do not outlive the test; not waited for unless `ready`."""
    servers: list[RunningServer] = []

    def start_server(
        *arguments: str,
        model: Path = model_dir,
        workers: int = 1,
        ready: bool = True,
        environment: Mapping[str, str] | None = None,
        pass_fds: tuple[int, ...] = (),
        program: Sequence[str] = ("-m", "training.serving"),
    ) -> RunningServer:
        settings = ["--model-dir", str(model), "--workers", str(workers), *arguments]
        servers.append(RunningServer(settings, environment, pass_fds, program))
        if ready:
            servers[-1].wait_until_ready(workers)
        return servers[-1]

    yield start_server
    for server in servers:
        if server.process.poll() is None:
            server.stop(signal.SIGKILL)


@pytest.fixture(scope="session")
def server(model_dir: Path) -> Iterator[RunningServer]:
    """One server with two workers that tests share: they only send requests."""
    running = RunningServer(["--model-dir", str(model_dir), "--workers", "2"])
    try:
        running.wait_until_ready(workers=2)
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def client(server: RunningServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=600) as session:
        yield session
