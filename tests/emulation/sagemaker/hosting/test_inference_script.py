"""Models with an inference script, as the SageMaker SDK packs them, and inference pipelines."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulation.sagemaker.hosting.deployment import ContainerPlan, EndpointPlan
from emulation.sagemaker.hosting.inference_script import find
from tests.emulation.sagemaker.emulator import ROLE, Emulator, archive
from tests.emulation.sagemaker.training_requests import wheel

DEEP_LEARNING = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
HANDLERS = """
import json, os
FACTOR = open("/opt/ml/model/factor.txt").read()  # the container's path
def model_fn(model_dir):
    assert os.environ["SM_MODEL_DIR"] == model_dir
    return float(FACTOR)
def input_fn(body, content_type):
    if content_type == "application/json":
        return json.loads(body)
    raise ValueError(f"Unsupported content type: {content_type}")
def predict_fn(numbers, factor, context):
    return [number * factor for number in numbers]
def output_fn(prediction, accept):
    return ",".join(map(str, prediction)), "text/csv"
"""
PREDICTS = """
class Doubles:
    def predict(self, rows):
        return rows.sum(axis=-1) * 2
def model_fn(model_dir):
    return Doubles()
"""


def scripted(source: str, **files: bytes) -> bytes:
    """A model archive with code/inference.py; in names of files, __ stands for a slash and _dot_ for a dot."""
    named = {name.replace("__", "/").replace("_dot_", "."): content for name, content in files.items()}
    return archive({"code/inference.py": source.encode(), **named})


def deploy(emulator: Emulator, name: str, packed: bytes, **container: Any) -> None:
    emulator.model(name, packed, **{"Image": SKLEARN, **container})
    emulator.config(name, name, sampling=None)
    emulator.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=name)


def invoke(emulator: Emulator, name: str, body: str, kind: str = "application/json", **more: str) -> tuple[str, str]:
    runtime = emulator.client("sagemaker-runtime")
    response = runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType=kind, **more)
    return response["Body"].read().decode(), response["ContentType"]


def failure(emulator: Emulator, name: str) -> str:
    return str(emulator.wait(name, "Failed")["FailureReason"])


def test_handlers_serve_and_choose_the_content_type(emulator: Emulator, name: str) -> None:
    deploy(emulator, name, scripted(HANDLERS, factor_dot_txt=b"2.5"))
    emulator.wait(name)
    assert invoke(emulator, name, "[1, 2]") == ("2.5,5.0", "text/csv")


def test_an_exception_of_a_handler_is_a_model_error_with_its_message(emulator: Emulator, name: str) -> None:
    deploy(emulator, name, scripted(HANDLERS, factor_dot_txt=b"1"))
    emulator.wait(name)
    with pytest.raises(ClientError) as caught:
        invoke(emulator, name, "1,2", "text/csv")
    assert caught.value.response["OriginalStatusCode"] == 500
    assert "Unsupported content type: text/csv" in str(caught.value)


def test_what_a_script_leaves_out_the_container_does(emulator: Emulator, name: str) -> None:
    deploy(emulator, name, scripted(PREDICTS))
    emulator.wait(name)
    assert invoke(emulator, name, "1,2\n3,4", "text/csv") == ("[6.0, 14.0]", "application/json")
    assert invoke(emulator, name, "[[1, 2]]", Accept="text/csv") == ("6.0", "text/csv")
    for arguments, status in (({"kind": "image/png"}, 415), ({"Accept": "image/png"}, 406)):
        with pytest.raises(ClientError) as caught:
            invoke(emulator, name, "[[1, 2]]", **arguments)
        assert caught.value.response["OriginalStatusCode"] == status


def test_transform_fn_replaces_the_other_handlers(emulator: Emulator, name: str) -> None:
    source = "def model_fn(d): return 'm'\ndef transform_fn(model, data, kind, accept): return f'{model} {data} {kind}'"
    deploy(emulator, name, scripted(source))
    emulator.wait(name)
    assert invoke(emulator, name, "{}", Accept="text/plain") == ("m {} application/json", "text/plain")


def test_requirements_of_a_model_are_installed_and_what_cannot_be_is_the_reason(emulator: Emulator, name: str) -> None:
    package = "extra-1-py3-none-any.whl"
    files = {
        "code/inference.py": b"import extra\ndef model_fn(d): return 1\ndef transform_fn(m, *rest): return extra.TEXT",
        f"code/{package}": wheel("extra", "TEXT = 'from the wheel'"),
        "code/requirements.txt": f"./{package}".encode(),
    }
    deploy(emulator, name, archive(files))
    emulator.wait(name)
    assert invoke(emulator, name, "{}")[0] == "from the wheel"
    missing = f"{name}-missing"
    deploy(emulator, missing, archive({**files, "code/requirements.txt": b"--no-index\nnowhere==1"}))
    assert "nowhere was not found" in failure(emulator, missing)


def test_code_may_lie_elsewhere_in_s3(emulator: Emulator, name: str) -> None:
    emulator.s3.objects[f"code/{name}.tar.gz"] = archive({"serve.py": HANDLERS.encode()})
    environment = {"SAGEMAKER_PROGRAM": "serve.py", "SAGEMAKER_SUBMIT_DIRECTORY": f"s3://code/{name}.tar.gz"}
    for suffix, factor in (("", b"3"), ("-other", b"4")):  # the same code with another model
        deploy(emulator, name + suffix, archive({"factor.txt": factor}), Environment=environment)
        emulator.wait(name + suffix)
        assert float(invoke(emulator, name + suffix, "[1]")[0]) == float(factor)


def test_a_script_serves_again_after_a_restart(make_emulator: Callable[..., Emulator]) -> None:
    emulator = make_emulator().start()
    deploy(emulator, "again", scripted(HANDLERS, factor_dot_txt=b"2"))
    emulator.wait("again")
    emulator.stop(signal.SIGKILL)
    emulator.start(emulator.port)
    emulator.wait("again")
    assert invoke(emulator, "again", "[4]")[0] == "8.0"


def test_a_script_that_does_not_load_fails_the_endpoint_with_its_last_line(emulator: Emulator, name: str) -> None:
    deploy(emulator, name, scripted("import nothing_of_that_name"))
    assert "No module named 'nothing_of_that_name'" in failure(emulator, name)


@pytest.mark.parametrize(
    ("image", "environment", "reason"),
    [
        (
            f"{DEEP_LEARNING}/djl-inference:0.31.0-lmi13",
            {},
            "containers of djl cannot be run",
        ),
        (
            f"{DEEP_LEARNING}/tritonserver:24.03-py3",
            {},
            "containers of triton cannot be run",
        ),
        (SKLEARN, {"SAGEMAKER_PROGRAM": "other.py"}, "SAGEMAKER_PROGRAM other.py is not in the code of the model"),
        (SKLEARN, {"SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/../.."}, "leads out of the model archive"),
    ],
)
def test_what_cannot_be_served_is_named(
    emulator: Emulator, name: str, image: str, environment: dict[str, str], reason: str
) -> None:
    deploy(emulator, name, scripted(PREDICTS), Image=image, Environment=environment)
    assert reason in failure(emulator, name)


def test_shared_libraries_are_not_copied_to_the_machine(emulator: Emulator, name: str) -> None:
    source = (
        "import os\ndef model_fn(d): return os.listdir(d)\ndef transform_fn(m, *rest): return str('shared_libs' in m)"
    )
    deploy(emulator, name, scripted(source, shared_libs__own_dot_so=b"x"))
    assert "shared libraries of the model are not installed" in failure(emulator, name)


def test_an_inference_pipeline_passes_each_response_on_with_its_content_type(emulator: Emulator, name: str) -> None:
    emulator.s3.objects[f"models/{name}-1.tar.gz"] = scripted(HANDLERS, factor_dot_txt=b"2")
    emulator.s3.objects[f"models/{name}-2.tar.gz"] = scripted(PREDICTS)
    containers = [{"Image": SKLEARN, "ModelDataUrl": f"s3://models/{name}-{number}.tar.gz"} for number in (1, 2)]
    sagemaker = emulator.client("sagemaker")
    sagemaker.create_model(ModelName=name, Containers=containers, ExecutionRoleArn=ROLE)
    emulator.config(name, name, sampling=None)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    variant = emulator.wait(name)["ProductionVariants"][0]
    assert [image["SpecifiedImage"] for image in variant["DeployedImages"]] == [SKLEARN, SKLEARN]
    assert invoke(emulator, name, "[1, 2]") == ("12.0", "application/json")
    with pytest.raises(ClientError, match="Unsupported content type"):  # of the first
        invoke(emulator, name, "x", "text/plain")


def test_direct_invocation_is_refused(emulator: Emulator, name: str) -> None:
    emulator.s3.objects[f"models/{name}.tar.gz"] = scripted(PREDICTS)
    containers = [{"Image": SKLEARN, "ModelDataUrl": f"s3://models/{name}.tar.gz"}] * 2
    sagemaker = emulator.client("sagemaker")
    sagemaker.create_model(
        ModelName=name, Containers=containers, ExecutionRoleArn=ROLE, InferenceExecutionConfig={"Mode": "Direct"}
    )
    emulator.config(name, name, sampling=None)
    with pytest.raises(ClientError, match="Direct invocation is not emulated"):
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


def test_a_plan_of_version_1_0_is_read() -> None:
    container: dict[str, Any] = {"image": "i", "model_url": "s3://m/a", "environment": {}, "artifact": "k"}
    variant = {"name": "AllTraffic", "weight": 1.0, "instances": 1, "health_seconds": None, **container}
    plan = EndpointPlan.from_dict({"config_name": "c", "capture": None, "since": 1.0, "variants": [variant]})
    assert plan.variants[0].containers == [ContainerPlan(**container)]


def test_a_missing_script_leaves_a_framework_model_to_the_container(tmp_path: Path) -> None:
    named = ContainerPlan("pytorch-inference:2.6.0", None, {"SAGEMAKER_PROGRAM": "inference.py"})
    (tmp_path / "model.pth").touch()
    script = find("AllTraffic", named, tmp_path, None)
    assert script is not None
    assert script.program is None
