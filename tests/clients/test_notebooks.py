"""Notebooks with the SageMaker Python SDK, versions 2 and 3, run unchanged against the local environment."""

import json

import pytest

from tests.clients.conftest import Notebook
from tests.integration.local_deployment import LocalDeployment
from training import jobs

pytestmark = pytest.mark.clients


@pytest.fixture(params=["v2", "v3"])
def notebook(request: pytest.FixtureRequest, notebooks: dict[str, Notebook]) -> Notebook:
    return notebooks[request.param]


def test_data_goes_to_the_sdks_default_bucket(notebook: Notebook) -> None:
    assert notebook.steps()["bucket"] == "sagemaker-us-east-1-000000000000"


def test_the_built_in_algorithm_trains_and_its_log_is_followed(notebook: Notebook) -> None:
    steps, log = notebook.steps(), notebook.log()
    assert steps["image"].endswith("/image-classification:1")
    assert steps["description"].items() >= {"TrainingJobStatus": "Completed", "SecondaryStatus": "Completed"}.items()
    for line in ("Epoch[0] Validation-accuracy=", "Epoch[1] Train-accuracy=", "num_training_samples: 40"):
        assert line in log


def test_a_hyperparameter_that_is_ignored_is_named_in_the_log(notebooks: dict[str, Notebook]) -> None:
    assert "hyperparameter learning_rate=0.01 is ignored" in notebooks["v2"].log()


def test_both_accuracies_are_final_metrics_and_in_cloudwatch(notebooks: dict[str, Notebook]) -> None:
    for notebook in notebooks.values():
        assert notebook.steps()["metrics"].keys() == {"train:accuracy", "validation:accuracy"}
    assert notebooks["v2"].steps()["analytics"] == ["validation:accuracy"]


def test_an_estimator_is_attached_to_the_job(notebooks: dict[str, Notebook]) -> None:
    assert notebooks["v2"].steps()["attached"] == [True, True]


def test_a_script_with_requirements_and_without_a_role_trains(notebooks: dict[str, Notebook]) -> None:
    assert notebooks["v3"].steps()["own code"] == "Completed"


def test_an_inference_spec_is_served_by_its_own_code(notebooks: dict[str, Notebook]) -> None:
    assert notebooks["v3"].steps()["own model"] == [2.5, 10.0]


def test_xgboost_trains_and_serves_by_the_resources_of_the_core(notebooks: dict[str, Notebook]) -> None:
    metrics, (low, high) = notebooks["v3"].steps()["xgboost"]
    assert metrics == ["train:auc"]
    assert low < 0.5 < high


def test_the_endpoint_answers_a_bare_array_or_a_line_of_json(notebook: Notebook) -> None:
    steps = notebook.steps()
    predictions = [json.loads(text) for text in steps["predictions"]]
    assert len(predictions) == 8
    assert all(sum(each) == pytest.approx(1) and len(each) == 2 for each in predictions)
    assert json.loads(steps["jsonlines"]) == {"prediction": predictions[0]}


def test_every_prediction_is_downloaded_with_the_capture(notebook: Notebook) -> None:
    steps = notebook.steps()
    assert len(steps["captures"]) == 9
    assert {text.strip() for text in steps["predictions"]} <= {text.strip() for text in map(str, steps["captures"])}


def test_what_was_made_is_listed_and_deleted(notebook: Notebook) -> None:
    steps = notebook.steps()
    assert steps["listed"] == [steps["endpoint"]]
    assert any(job in steps["model"] for job in steps["jobs"])
    assert steps["left"] == []
    assert steps["variant"] == ["AllTraffic", "ml.m5.xlarge"]


def test_scones_and_the_sdk_see_each_others_jobs_and_endpoints(
    notebooks: dict[str, Notebook], deployment: LocalDeployment
) -> None:
    steps = notebooks["v3"].steps()
    assert deployment.outputs.endpoint_name in steps["others"]
    status = jobs.status(deployment.session, steps["jobs"][0])
    assert (status.status, status.is_builtin, status.model_artifact) == ("Completed", True, steps["model"])
