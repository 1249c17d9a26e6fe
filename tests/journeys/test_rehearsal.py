"""The whole life of a model by one script, against the real LocalStack, and the page in docs that lists its calls."""

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulation.processes.components import EnvironmentOptions
from emulation.processes.local_environment import LocalEnvironment
from orchestration import bootstrap, package, stack
from orchestration.stack_outputs import read_stack_outputs
from scones import training_jobs
from scones.context import open_session
from scones.rehearsal_plan import rehearsal_plan
from scones.settings import ROOT, Settings
from scones.views.rehearsal import hosts, page
from tests.cli_runner import User
from tests.emulation.sagemaker.training_requests import image_bytes
from tests.journeys.stand_in import stand_in_python
from tests.journeys.surroundings import ALL_AT_ONCE, DEAD_PROXY, LOCALE_C, NOTEBOOK, proxied
from tests.training import service_models
from training.rehearsal import RehearsalResult
from training.rehearsal import rehearse as run
from training.request_recorder import RequestRecorder

TINY = {"backbone": "tiny", "pretrained": "0", "size": "32", "training_size": "32", "rendered": "0",
        "calibration_folds": "0", "batch": "2"}  # fmt: skip
# Where there is no PyTorch, an interpreter stands in that leaves the shipped model; all else is as it is.
STAND_IN = f"""
for epoch in 0 1; do sleep 2; echo "Epoch[$epoch] Train-loss=0.5"; echo "Epoch[$epoch] Validation-accuracy=0.75"; done
cp {ROOT}/training/vehicle_net/shipped/model.onnx {ROOT}/training/vehicle_net/shipped/model.json "$SM_MODEL_DIR"
"""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("a stand-in trains", marks=pytest.mark.integration),
        pytest.param("our trainer trains", marks=pytest.mark.torch),
    ],
)
def settings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, cache: Path
) -> Iterator[Settings]:
    python = Path(sys.executable)
    if request.param == "a stand-in trains":
        python = stand_in_python(tmp_path_factory.mktemp("python"), STAND_IN)
    home = tmp_path_factory.mktemp("home")
    odd = {**LOCALE_C, **NOTEBOOK, **proxied(DEAD_PROXY)}
    with LocalEnvironment(
        EnvironmentOptions(home, cache, ROOT / "services", environment=odd, training_python=python)
    ) as running:
        yield Settings(home=home / "unused", localstack_url=running.localstack_url, sagemaker_url=running.sagemaker_url)


@pytest.fixture(scope="module")
def rehearsed(settings: Settings) -> tuple[RequestRecorder, RehearsalResult]:
    session = open_session(settings)
    parameters = {"EndpointName": settings.default_endpoint_name, **stack.LOCAL_PARAMETERS}
    s3 = session.client("s3")
    template = {"TemplateURL": package.upload(s3, bootstrap.local_artifact_bucket(s3))}
    outputs = stack.deploy(session.client("cloudformation"), settings.stack, template, parameters, poll=0.2).outputs
    for part in ("train", "test"):
        lines = "".join(f"{index}\t{index % 2}\t{index}.png\n" for index in range(4))
        s3.put_object(Bucket=outputs["DataBucket"], Key=f"datasets/few/{part}.lst", Body=lines.encode())
        for index in range(4):
            s3.put_object(Bucket=outputs["DataBucket"], Key=f"datasets/few/{part}/{index}.png", Body=image_bytes())
    stack_outputs = read_stack_outputs(session.client("cloudformation"), settings.stack)
    job = training_jobs.job_spec(session, settings, stack_outputs, "vehicle-net", TINY, dataset="few", epochs=2)
    plan = rehearsal_plan(session, settings, stack_outputs, job)
    recorder = RequestRecorder(session)
    return recorder, run(session, plan)


def test_a_model_is_trained_deployed_invoked_captured_updated_and_deleted(
    rehearsed: tuple[RequestRecorder, RehearsalResult],
) -> None:
    _, outcome = rehearsed
    assert outcome.model_artifact.endswith(f"/training/{outcome.job}/output/model.tar.gz")
    assert 0 <= outcome.metrics["validation:accuracy"] <= 1
    assert (outcome.invocations, outcome.captured) == (16, 8)
    assert len(outcome.deleted) == 3


def test_every_request_and_response_is_valid_by_the_service_models(
    rehearsed: tuple[RequestRecorder, RehearsalResult],
) -> None:
    recorder, _ = rehearsed
    assert [(r.operation, fault) for r in recorder.requests for fault in service_models.of_request(r)] == []
    ours = [response for response in recorder.responses if response.service != "cloudwatch-logs"]
    assert [(a.operation, fault) for a in ours for fault in service_models.of_response(a)] == []
    assert sum(1 for r in recorder.requests if r.service == "sagemaker") > 20


def test_ctrl_c_leaves_the_job_running_and_says_how_to_attach(
    rehearsed: tuple[RequestRecorder, RehearsalResult], settings: Settings
) -> None:
    urls = {"SCONES_LOCALSTACK_URL": settings.localstack_url, "SCONES_SAGEMAKER_URL": settings.sagemaker_url}
    user = User(settings.home, {**urls, **ALL_AT_ONCE})
    hyperparameters = [word for name, value in TINY.items() for word in ("--hyperparameter", f"{name}={value}")]
    with user.start("train", "--dataset", "few", "--epochs", "2", *hyperparameters) as first:
        assert first.stderr is not None
        job = next(line.split()[-1] for line in first.stderr if line.startswith("training job "))
        next(line for line in first.stderr if line.strip() == "Training")
        first.send_signal(signal.SIGINT)
        out, err = first.communicate(timeout=600)
    assert (first.returncode, out) == (130, "")
    assert f"the job continues: `scones train --attach {job}`" in err
    with user.start("train", "--attach", job, "--json") as second:
        out, err = second.communicate(timeout=600)
    assert second.returncode == 0, err
    result = json.loads(out)
    assert (result["job"], result["status"], result["epochs"]) == (job, "Completed", 2)
    assert result["artefact"].endswith(f"{job}/output/model.tar.gz")
    assert "Epoch[1] Validation-accuracy=" in err


def test_ctrl_c_while_a_rehearsal_trains_says_that_the_job_continues(
    rehearsed: tuple[RequestRecorder, RehearsalResult], settings: Settings
) -> None:
    urls = {"SCONES_LOCALSTACK_URL": settings.localstack_url, "SCONES_SAGEMAKER_URL": settings.sagemaker_url}
    hyperparameters = [word for name, value in TINY.items() for word in ("--hyperparameter", f"{name}={value}")]
    with User(settings.home, urls).start("rehearse", "--dataset", "few", *hyperparameters) as process:
        assert process.stderr is not None
        job = next(line.split()[-1] for line in process.stderr if line.strip().startswith("training job "))
        next(line for line in process.stderr if "Epoch[0]" in line)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=600)
    assert process.returncode == 130
    assert f"the job continues: `scones train --attach {job}` follows it again" in err


def test_the_page_in_docs_lists_these_calls(
    rehearsed: tuple[RequestRecorder, RehearsalResult], settings: Settings
) -> None:
    recorder, _ = rehearsed
    written = page(recorder, hosts(open_session(settings)))
    assert (ROOT / "docs" / "sagemaker-calls.md").read_text("utf-8") == written, (
        "run `scones rehearse --write docs/sagemaker-calls.md`"
    )


@pytest.mark.integration
def test_the_script_does_not_ask_where_it_runs() -> None:
    # The recorder wraps a session, and the SDK's import must not depend on a profile.
    others = {ROOT / "training" / name for name in ("request_recorder.py", "sagemaker_sdk.py")}
    for module in set((ROOT / "training").glob("[a-z]*.py")) - others:
        text = module.read_text("utf-8")
        assert not [
            word for word in ("LocalSession", "endpoint_url", "localhost", "Target.AWS", "os.environ") if word in text
        ]
