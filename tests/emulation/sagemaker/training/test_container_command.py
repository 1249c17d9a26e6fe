"""Jobs with their own command, as ModelTrainer of the SageMaker SDK 3 submits them."""

import importlib.util
import io
import json
import tarfile
import uuid
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulation.sagemaker.errors import TrainingFailed
from emulation.sagemaker.training.container_command import program
from emulation.sagemaker.training.job_files import JobDirectory
from tests.emulation.sagemaker.emulator import Emulator
from tests.emulation.sagemaker.training_requests import BUILTIN, channel, ended, logged, request, wheel

COMMAND = {
    "ContainerEntrypoint": ["/bin/bash"],
    "ContainerArguments": [
        "-c",
        "chmod +x /opt/ml/input/data/sm_drivers/train.sh && /opt/ml/input/data/sm_drivers/train.sh",
    ],
}
DRIVER = """#!/bin/bash
set -e
command -v pip3 || command -v pip
python3 /opt/ml/input/data/sm_drivers/scripts/environment.py
source /opt/ml/input/own.env
cd /opt/ml/input/data/code
python3 entry.py --epochs $EPOCHS
"""
ENVIRONMENT = """
import json
resources = json.load(open("/opt/ml/input/config/resourceconfig.json"))
hyperparameters = json.load(open("/opt/ml/input/config/hyperparameters.json"))
print("on", resources["current_instance_type"], resources["hosts"])
open("/opt/ml/input/own.env", "w").write(f"export EPOCHS={hyperparameters['epochs']}")
"""
ENTRY = """
import os, pathlib, sys
pathlib.Path(os.environ["SM_MODEL_DIR"], "weights").write_text(" ".join(sys.argv[1:]))
print("validation accuracy: 0.75")
"""


INSTALLS = """
import subprocess, sys
subprocess.run([sys.executable, "-m", "pip", "install", "--no-index", "-r", "requirements.txt"], check=True)
subprocess.run([sys.executable, "-c", "import extra"], check=True)
"""


def submit(emulator: Emulator, entry: str = ENTRY, code: dict[str, bytes] | None = None, **more: Any) -> str:
    job = f"job-{uuid.uuid4().hex[:10]}"
    emulator.s3.objects.update({f"data/{job}/code/{name}": content for name, content in (code or {}).items()})
    files = {"sm_drivers/train.sh": DRIVER, "sm_drivers/scripts/environment.py": ENVIRONMENT, "code/entry.py": entry}
    emulator.s3.objects.update({f"data/{job}/{path}": text.encode() for path, text in files.items()})
    channels = [channel(name, f"s3://data/{job}/{name}/") for name in ("code", "sm_drivers")]
    definition = {"Name": "validation:accuracy", "Regex": "validation accuracy: ([0-9.]+)"}
    algorithm = {**COMMAND, "MetricDefinitions": [definition]}
    sent = request(job, algorithm=algorithm, InputDataConfig=channels, HyperParameters={"epochs": "3"}, **more)
    emulator.client("sagemaker").create_training_job(**sent)
    return job


def test_scripts_find_their_files_and_their_model_is_uploaded(stub_emulator: Emulator) -> None:
    job = submit(stub_emulator)
    described = ended(stub_emulator, job)
    assert described["TrainingJobStatus"] == "Completed", (described, logged(stub_emulator.s3, job))
    assert described["AlgorithmSpecification"]["ContainerEntrypoint"] == ["/bin/bash"]
    assert "on ml.g5.xlarge ['algo-1']" in logged(stub_emulator.s3, job)
    assert [metric["Value"] for metric in described["FinalMetricDataList"]] == [0.75]
    with tarfile.open(fileobj=io.BytesIO(stub_emulator.s3.objects[f"out/jobs/{job}/output/model.tar.gz"])) as archive:
        weights = archive.extractfile("weights")
        assert weights is not None
        assert weights.read() == b"--epochs 3"


def test_requirements_are_installed_for_the_job_alone(stub_emulator: Emulator) -> None:
    name = "extra-1-py3-none-any.whl"
    code = {name: wheel("extra", "print('from the wheel')"), "requirements.txt": f"./{name}".encode()}
    job = submit(stub_emulator, INSTALLS, code)
    assert ended(stub_emulator, job)["TrainingJobStatus"] == "Completed", logged(stub_emulator.s3, job)
    assert "from the wheel" in logged(stub_emulator.s3, job)
    assert importlib.util.find_spec("extra") is None  # the jobs' interpreter is that of the tests


def test_what_the_interpreter_has_is_not_installed_again(stub_emulator: Emulator) -> None:
    job = submit(stub_emulator, INSTALLS.replace('"import extra"', '"import PIL"'), {"requirements.txt": b"pillow"})
    assert ended(stub_emulator, job)["TrainingJobStatus"] == "Completed", logged(stub_emulator.s3, job)
    assert "Would make no changes" in logged(stub_emulator.s3, job)


def test_the_installers_reason_is_in_the_log_and_fails_the_job(stub_emulator: Emulator) -> None:
    job = submit(stub_emulator, INSTALLS, {"requirements.txt": b"nowhere==1"})
    described = ended(stub_emulator, job)
    assert described["TrainingJobStatus"] == "Failed"
    assert "nowhere was not found" in described["FailureReason"]
    assert any(line.startswith("ERROR:") and "nowhere was not found" in line for line in logged(stub_emulator.s3, job))


def test_a_script_that_fails_fails_the_job_with_the_command_as_it_was_submitted(stub_emulator: Emulator) -> None:
    described = ended(stub_emulator, submit(stub_emulator, "raise SystemExit(3)"))
    assert described["TrainingJobStatus"] == "Failed"
    assert "/opt/ml/input/data/sm_drivers/train.sh" in described["FailureReason"]
    assert str(stub_emulator.state_dir) not in described["FailureReason"]


@pytest.mark.parametrize(
    ("image", "algorithm", "reason"),
    [
        ("image:1", {"ContainerArguments": ["-c"]}, "without ContainerEntrypoint"),
        (BUILTIN, COMMAND, "not supported for Amazon SageMaker algorithms"),
    ],
)
def test_what_cannot_run_is_refused(stub_emulator: Emulator, image: str, algorithm: Any, reason: str) -> None:
    with pytest.raises(ClientError, match=reason):
        stub_emulator.client("sagemaker").create_training_job(**request("refused", image=image, algorithm=algorithm))


def test_a_directory_that_a_shell_would_split_is_refused(tmp_path: Path) -> None:
    job = json.loads(json.dumps(request("job", algorithm=COMMAND)))
    with pytest.raises(TrainingFailed, match="start the emulator elsewhere"):
        program("python3", job, "arn", JobDirectory(tmp_path / "with space"))
