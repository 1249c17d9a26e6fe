"""A requirements.txt next to a job's program is installed for the job, as AWS's containers do."""

import importlib.util
import uuid

import pytest

from tests.emulation.sagemaker.emulator import Emulator
from tests.emulation.sagemaker.training_requests import logged, run, wheel


@pytest.fixture
def job() -> str:
    return f"job-{uuid.uuid4().hex[:10]}"


def test_requirements_beside_the_program_are_installed_for_the_job_before_it_starts(
    stub_emulator: Emulator, job: str
) -> None:
    name = "extra-1-py3-none-any.whl"
    files = {
        f"wheels/{name}": wheel("extra", "print('from the wheel')"),
        "requirements.txt": f"./wheels/{name}".encode(),
    }
    described = run(stub_emulator, job, "import extra", files=files)
    assert described["TrainingJobStatus"] == "Completed", described
    lines = logged(stub_emulator.s3, job)
    assert lines.index("python -m pip install -r requirements.txt") < lines.index("from the wheel")
    assert importlib.util.find_spec("extra") is None  # the jobs' interpreter is that of the tests


def test_packages_that_the_interpreter_has_are_not_installed_again(stub_emulator: Emulator, job: str) -> None:
    described = run(stub_emulator, job, "import PIL", files={"requirements.txt": b"--no-index\npillow  # any version"})
    assert described["TrainingJobStatus"] == "Completed", described
    assert "Would make no changes" in logged(stub_emulator.s3, job)


def test_requirements_that_cannot_be_installed_fail_the_job_with_the_installers_reason(
    stub_emulator: Emulator, job: str
) -> None:
    described = run(stub_emulator, job, "", files={"requirements.txt": b"--no-index\nextra==1"})
    assert described["TrainingJobStatus"] == "Failed"
    reason = described["FailureReason"]
    assert reason.startswith('AlgorithmError: InstallRequirementsError:\nExitCode 1\nErrorMessage "')
    assert "extra was not found" in reason
    assert "python -m pip install -r requirements.txt" in reason
