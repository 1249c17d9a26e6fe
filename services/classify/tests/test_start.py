"""What a cold start loads: in a Lambda, import time is the user's time."""

import subprocess
import sys
from pathlib import Path

import pytest
from botocore.loaders import Loader
from endpoint_stub import Answer, EndpointStub, failure
from slim_sdk import slim

SERVICE = Path(__file__).parents[1]


def modules_after(code: str) -> set[str]:
    code += "; import sys; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=SERVICE, capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_the_handler_loads_no_boto3() -> None:
    loaded = modules_after("import handler")
    assert "botocore.session" in loaded
    assert not loaded & {"boto3", "s3transfer", "sagemaker", "numpy", "PIL"}


def test_collecting_garbage_is_on_again_once_all_is_loaded() -> None:
    code = "import handler, gc; assert gc.isenabled(); assert gc.get_freeze_count() > 10_000"
    subprocess.run([sys.executable, "-c", code], cwd=SERVICE, check=True)


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sdk")
    slim(out)
    return out


def test_the_slim_sdk_is_small_and_has_one_operation(sdk: Path) -> None:
    assert sum(file.stat().st_size for file in sdk.rglob("*.json")) < 100_000
    model = Loader([str(sdk)], include_default_search_paths=False).load_service_model("sagemaker-runtime", "service-2")
    assert set(model["operations"]) == {"InvokeEndpoint"}


def test_a_client_made_from_the_slim_sdk_invokes_and_knows_the_errors(
    sdk: Path, endpoint: EndpointStub, tmp_path: Path
) -> None:
    (tmp_path / "sdk").symlink_to(sdk)
    for name in ("errors.py", "settings.py", "endpoint.py"):
        (tmp_path / name).write_bytes((SERVICE / name).read_bytes())
    code = "import endpoint; print(endpoint.invoke(endpoint.sagemaker_runtime(), 'v', b'i', 'image/png'))"
    endpoint.answer = Answer(b"[0.97, 0.03]", attributes="probably-neither=false")
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "(b'[0.97, 0.03]', 'probably-neither=false')"

    endpoint.answer = failure("ModelError", 424, OriginalStatusCode=415)
    refused = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "errors.EndpointRejectedImage: endpoint 'v' cannot read the image" in refused.stderr
