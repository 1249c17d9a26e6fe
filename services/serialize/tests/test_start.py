"""What a cold start loads: in a Lambda, import time is the user's time."""

import subprocess
import sys
from pathlib import Path

import pytest
from botocore.loaders import Loader
from s3_stub import S3Stub, failure
from slim_sdk import slim

SERVICE = Path(__file__).parents[1]


def modules_after(code: str) -> set[str]:
    code += "; import sys; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=SERVICE, capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_the_handler_loads_no_boto3_and_no_reader_before_it_knows_the_image() -> None:
    loaded = modules_after("import handler")
    assert {"botocore.session", "PIL.Image"} <= loaded
    assert not loaded & {"boto3", "s3transfer", "PIL.JpegImagePlugin", "PIL.GifImagePlugin", "numpy"}


def test_collecting_garbage_is_on_again_once_all_is_loaded() -> None:
    code = "import handler, gc; assert gc.isenabled(); assert gc.get_freeze_count() > 10_000"
    subprocess.run([sys.executable, "-c", code], cwd=SERVICE, check=True)


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sdk")
    slim(out)
    return out


def test_the_slim_sdk_is_small_and_has_two_operations(sdk: Path) -> None:
    assert sum(file.stat().st_size for file in sdk.rglob("*.json")) < 300_000
    model = Loader([str(sdk)], include_default_search_paths=False).load_service_model("s3", "service-2")
    assert set(model["operations"]) == {"GetObject", "HeadBucket"}


def test_a_client_made_from_the_slim_sdk_reads_objects_and_knows_the_errors(
    sdk: Path, bucket: S3Stub, tmp_path: Path
) -> None:
    bucket.objects["images", "a b"] = b"bytes"
    (tmp_path / "sdk").symlink_to(sdk)
    for name in ("errors.py", "settings.py", "store.py"):
        (tmp_path / name).write_bytes((SERVICE / name).read_bytes())
    code = "import store; print(store.fetch(store.s3(), 'images', 'a%20b'))"
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "('a b', b'bytes')"

    bucket.failures = [failure(301, "PermanentRedirect")] * 2  # between these, botocore asks for the bucket
    moved = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "errors.ImageAccessDenied: 'a%20b' in 'images' denies access (S3 responded 301" in moved.stderr
