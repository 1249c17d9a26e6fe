"""The image as Lambda runs it: built, started under the Runtime Interface Emulator, invoked over HTTP."""

import base64
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from image import MAX_IMAGE_BYTES
from PIL import Image
from s3_objects import MAX_OBJECT_BYTES
from s3_stub import S3Stub, failure, running
from sample_images import file, noise, photograph, read

BASE = "public.ecr.aws/lambda/python:3.13"
DOCKER = shutil.which("docker") or "docker"
Invoke = Callable[[object], dict[str, Any]]


def docker(*arguments: str) -> str:
    return subprocess.run([DOCKER, *arguments], capture_output=True, text=True, check=True).stdout.strip()


def logs(container: str) -> list[str]:
    command = [DOCKER, "logs", container]
    both = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    return both.stdout.splitlines()


def engine_answers() -> bool:
    try:
        docker("version")
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


pytestmark = [pytest.mark.docker, pytest.mark.skipif(not engine_answers(), reason="no Docker engine answers")]


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    tag = f"scones-serialize-test:{uuid4().hex}"
    docker("build", "--tag", tag, str(Path(__file__).parents[1]))
    yield tag
    docker("image", "rm", "--force", tag)


@pytest.fixture(scope="module")
def outside() -> Iterator[S3Stub]:
    """Return an S3 that containers reach through their gateway."""
    with running("0.0.0.0") as stub:  # noqa: S104
        yield stub


@pytest.fixture(scope="module")
def container(image: str, outside: S3Stub) -> Iterator[str]:
    environment = {
        "AWS_ENDPOINT_URL": f"http://gateway:{outside.server_port}",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    options = [f"--env={name}={value}" for name, value in environment.items()]
    options += ["--add-host=gateway:host-gateway", "--memory=512m", "--memory-swap=512m", "--read-only"]
    container = docker("run", "--detach", "--publish", "127.0.0.1::8080", *options, image)
    yield container
    docker("rm", "--force", container)


@pytest.fixture(scope="module")
def invoke(container: str) -> Invoke:
    return emulator_of(container)


def emulator_of(container: str) -> Invoke:
    url = f"http://{docker('port', container, '8080/tcp').splitlines()[0]}"
    wait_for_emulator(url)

    def call(event: object) -> dict[str, Any]:
        body = json.dumps(event).encode()
        with urllib.request.urlopen(f"{url}/2015-03-31/functions/function/invocations", body, timeout=600) as response:  # noqa: S310
            result: dict[str, Any] = json.load(response)
        return result

    return call


def wait_for_emulator(url: str) -> None:
    deadline = time.monotonic() + 600
    while True:
        try:
            urllib.request.urlopen(url, timeout=600).close()  # noqa: S310
        except urllib.error.HTTPError as answer:  # it knows no such path, so it is there
            answer.close()
            return
        except OSError:
            assert time.monotonic() < deadline, f"no emulator at {url}"
            time.sleep(0.05)


def event(key: str) -> dict[str, str]:
    return {"s3_bucket": "images", "s3_key": key}


def test_a_small_image_arrives_whole(invoke: Invoke, outside: S3Stub) -> None:
    data = file(noise(32, 32), "PNG")
    outside.objects["images", "in/\u00e9 1.png"] = data
    response = invoke(event("in/%C3%A9+1.png"))
    assert response == {
        "s3_bucket": "images",
        "s3_key": "in/\u00e9 1.png",
        "image_data": base64.b64encode(data).decode(),
        "content_type": "image/png",
    }


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {"quality": 92}), ("JPEG", {"progressive": True, "subsampling": 0}), ("PNG", {"compress_level": 1})],
    ids=["baseline", "progressive", "png"],
)
def test_twelve_megapixels_are_served_within_512_mb(
    kind: str, options: dict[str, object], invoke: Invoke, outside: S3Stub
) -> None:
    outside.objects["images", "photo"] = file(photograph(4000, 3000), kind, **options)
    response = invoke(event("photo"))
    assert response["content_type"] == f"image/{kind.lower()}"
    data = base64.b64decode(response["image_data"])
    assert len(data) <= MAX_IMAGE_BYTES
    assert read(data).width / read(data).height == pytest.approx(4 / 3, rel=0.01)


def test_the_most_that_is_accepted_is_served_within_512_mb(invoke: Invoke, outside: S3Stub) -> None:
    most = file(Image.new("P", (6000, 6000), 1), "PNG", transparency=1, compress_level=1)
    outside.objects["images", "most"] = most + bytes(MAX_OBJECT_BYTES - len(most))
    assert invoke(event("most"))["content_type"] == "image/png"


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_gif_and_webp_become_png(kind: str, invoke: Invoke, outside: S3Stub) -> None:
    outside.objects["images", "a"] = file(noise(64, 64), kind)
    assert invoke(event("a"))["content_type"] == "image/png"


def test_broken_events_and_objects_fail_by_name_and_the_function_lives_on(invoke: Invoke, outside: S3Stub) -> None:
    good = file(noise(32, 32), "JPEG")
    outside.objects.update(
        {
            ("images", "text.png"): b"some text",
            ("images", "empty"): b"",
            ("images", "half.jpg"): good[: len(good) // 2],
            ("images", "bomb.png"): file(Image.new("1", (20_000, 20_000)), "PNG"),
            ("images", "good.jpg"): good,
        }
    )
    assert invoke([])["errorType"] == "InvalidInput"
    assert invoke(event("k" * 1025))["errorType"] == "InvalidInput"
    assert invoke(event("no such key"))["errorType"] == "ImageNotFound"
    assert invoke(event("text.png"))["errorType"] == "UnsupportedImage"
    assert invoke(event("empty"))["errorType"] == "UnsupportedImage"
    assert invoke(event("half.jpg"))["errorType"] == "UnsupportedImage"
    assert invoke(event("bomb.png"))["errorType"] == "ImageTooLarge"
    outside.failures = [failure(403, "AccessDenied")]
    assert invoke(event("good.jpg"))["errorType"] == "ImageAccessDenied"
    outside.failures = [failure(503, "SlowDown")] * 3
    assert invoke(event("good.jpg"))["errorType"] == "StorageUnavailable"
    assert base64.b64decode(invoke(event("good.jpg"))["image_data"]) == good


def test_the_log_holds_one_line_for_an_image_and_none_of_its_data(
    container: str, invoke: Invoke, outside: S3Stub
) -> None:
    outside.objects["images", "a\nb"] = file(noise(32, 32, seed=7), "PNG")
    response = invoke(event("a\nb"))
    lines = logs(container)
    (line,) = [json.loads(line) for line in lines if '"s3_key": "a\\nb"' in line]
    assert line["state"] == "SerializeImageData"
    assert response["image_data"][40:80] not in "".join(lines)


def test_the_image_holds_only_what_runs_and_runs_it_as_nobody(image: str) -> None:
    (facts,) = json.loads(docker("image", "inspect", image))
    (base,) = json.loads(docker("image", "inspect", BASE))
    assert facts["Config"]["User"] == "65534:65534"
    assert facts["Config"]["Labels"]["org.opencontainers.image.title"] == "scones-serialize"
    assert facts["Size"] - base["Size"] < 60_000_000
    listing = docker("run", "--rm", "--entrypoint", "ls", image, "/var/task").split()
    assert {name for name in listing if name.endswith(".py")} == {
        "errors.py",
        "handler.py",
        "image.py",
        "settings.py",
        "s3_objects.py",
    }
    assert "tests" not in listing
