"""Clients that are not ours: the AWS CLI, version 1, and SageMaker's own Python SDK."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
import uv

from tests.emulation.sagemaker.emulator import IMAGE, ROLE, ROOT, Emulator, capture_config, model_archive, wait_until
from tests.emulation.sagemaker.training_requests import ended, request, script

CLI = "awscli==1.46.3"
SDK = """
import logging, sys
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
from sagemaker.core import shapes
from sagemaker.core.resources import Endpoint, EndpointConfig, Model, TrainingJob

name, role, image = sys.argv[1:4]
job = TrainingJob.create(
    training_job_name=name,
    role_arn=role,
    hyper_parameters={
        "sagemaker_program": "entry.py",
        "sagemaker_submit_directory": f"s3://code/{name}.tar.gz",
    },
    algorithm_specification=shapes.AlgorithmSpecification(training_image=image, training_input_mode="File"),
    output_data_config=shapes.OutputDataConfig(s3_output_path="s3://out"),
    resource_config=shapes.ResourceConfig(instance_type="ml.g5.xlarge", instance_count=1, volume_size_in_gb=10),
    stopping_condition=shapes.StoppingCondition(max_runtime_in_seconds=3600),
)
job.wait(poll=1, timeout=600, logs=True)
print("TRAINED", job.training_job_status, job.model_artifacts.s3_model_artifacts)
container = shapes.ContainerDefinition(image=image, model_data_url=job.model_artifacts.s3_model_artifacts)
Model.create(model_name=name, primary_container=container, execution_role_arn=role)
variant = shapes.ProductionVariant(
    variant_name="AllTraffic", model_name=name, initial_instance_count=1, instance_type="ml.m5.xlarge"
)
EndpointConfig.create(endpoint_config_name=name, production_variants=[variant])
endpoint = Endpoint.create(endpoint_name=name, endpoint_config_name=name)
endpoint.wait_for_status("InService", poll=1, timeout=600)
answer = endpoint.invoke(body=b"image", content_type="image/png", accept="application/json")
print("ANSWERED", answer.body.read().decode(), answer.invoked_production_variant)
endpoint.delete()
endpoint.wait_for_delete(poll=1, timeout=600)
print("GONE")
"""


@pytest.fixture
def name() -> str:
    return f"c-{uuid.uuid4().hex[:10]}"


def environment(emulator: Emulator, folder: Path) -> dict[str, str]:
    """Nothing of the user's AWS, and the emulator in its place."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return {
        **kept,
        "HOME": str(folder),
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv")),
        "AWS_CONFIG_FILE": str(folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": emulator.s3.url,
        "AWS_ENDPOINT_URL_SAGEMAKER": emulator.url,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": emulator.url,
    }


@pytest.mark.integration
def test_the_aws_cli_trains_serves_invokes_and_deletes(emulator: Emulator, name: str, tmp_path: Path) -> None:
    surroundings = environment(emulator, tmp_path)

    def aws(*words: str, **options: Any) -> Any:
        """Run the AWS CLI, which uv brings from the package index once; return its answer."""
        for option, value in options.items():
            words += (f"--{option.replace('_', '-')}", value if isinstance(value, str) else json.dumps(value))
        command = [uv.find_uv_bin(), "tool", "run", "--quiet", "--python", sys.executable, "--from", CLI, "aws", *words]
        ran = subprocess.run(
            command, env=surroundings, cwd=tmp_path, capture_output=True, text=True, timeout=6000, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout or "{}")

    emulator.s3.objects[f"models/{name}.tar.gz"] = model_archive()
    parameters = request(name, HyperParameters=script(emulator.s3, name, "print('hello')"))
    aws("sagemaker", "create-training-job", cli_input_json=parameters)
    ended(emulator, name)
    assert aws("sagemaker", "describe-training-job", training_job_name=name)["TrainingJobStatus"] == "Completed"
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://models/{name}.tar.gz"}
    aws("sagemaker", "create-model", model_name=name, primary_container=container, execution_role_arn=ROLE)
    variant = {"VariantName": "A", "ModelName": name, "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
    aws(
        "sagemaker",
        "create-endpoint-config",
        endpoint_config_name=name,
        production_variants=[variant],
        data_capture_config=capture_config(100),
    )
    aws("sagemaker", "create-endpoint", endpoint_name=name, endpoint_config_name=name)
    emulator.wait(name)  # the command's own waiting begins with a look, and takes half a minute after it
    aws("sagemaker", "wait", "endpoint-in-service", endpoint_name=name)
    (tmp_path / "image").write_bytes(b"image")
    invocation = ("sagemaker-runtime", "invoke-endpoint", "answer.json")
    response = aws(*invocation, endpoint_name=name, body="fileb://image", content_type="image/png")
    assert response["InvokedProductionVariant"] == "A"
    assert json.loads((tmp_path / "answer.json").read_text()) == [0.93, 0.07]
    assert [
        result["EndpointName"] for result in aws("sagemaker", "list-endpoints", name_contains=name)["Endpoints"]
    ] == [name]
    aws("sagemaker", "delete-endpoint", endpoint_name=name)
    wait_until(lambda: bool(emulator.s3.lines(f"captures/data/{name}/A/")))


@pytest.mark.integration
def test_sagemakers_own_sdk_trains_follows_the_log_serves_and_deletes(
    emulator: Emulator, name: str, tmp_path: Path
) -> None:
    source = """
import os, pathlib
print("from the job")
pathlib.Path(os.environ["SM_MODEL_DIR"], "behaviour.json").write_text('{"answer": [0.8, 0.2]}')
"""
    script(emulator.s3, name, source)
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SDK, name, ROLE, IMAGE],
        env={**environment(emulator, tmp_path), "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=6000,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert f"TRAINED Completed s3://out/{name}/output/model.tar.gz" in ran.stdout
    assert "ANSWERED [0.8, 0.2] AllTraffic" in ran.stdout
    assert "GONE" in ran.stdout
    assert "from the job" in ran.stdout + ran.stderr
