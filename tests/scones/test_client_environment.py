from pathlib import Path

import yaml

from emulation.session import LocalSession
from scones.client_environment import client_environment

EMULATOR = "http://127.0.0.1:2"


def test_every_service_that_the_emulator_serves_has_its_url_and_the_rest_is_localstacks(tmp_path: Path) -> None:
    session = LocalSession("http://127.0.0.1:1", EMULATOR, "eu-west-1")
    variables = client_environment(session, tmp_path / "new" / "sdk.yaml")
    emulated = {name for name, value in variables.items() if value == EMULATOR}
    services = ("sagemaker", "sagemaker-runtime", "application-autoscaling", "scheduler")
    models = [session.client(service).meta.service_model.service_id for service in services]
    assert emulated == {f"AWS_ENDPOINT_URL_{name.upper().replace(' ', '_')}" for name in models}
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert variables["AWS_DEFAULT_REGION"] == "eu-west-1"


def test_the_sagemaker_sdk_is_given_a_default_bucket_of_the_region(tmp_path: Path) -> None:
    file = tmp_path / "sdk.yaml"
    variables = client_environment(LocalSession("http://a", "http://b", "eu-west-1"), file)
    assert variables["SAGEMAKER_USER_CONFIG_OVERRIDE"] == str(file)
    modules = yaml.safe_load(file.read_text())["SageMaker"]["PythonSDK"]["Modules"]
    assert modules["Session"] == {"DefaultS3Bucket": "sagemaker-eu-west-1-000000000000"}


def test_code_that_names_no_role_has_one(tmp_path: Path) -> None:
    file = tmp_path / "sdk.yaml"
    client_environment(LocalSession("http://a", "http://b", "eu-west-1"), file)
    defaults = yaml.safe_load(file.read_text())["SageMaker"]
    assert defaults["TrainingJob"]["RoleArn"] == defaults["Model"]["ExecutionRoleArn"]


def test_the_sagemaker_sdk_reports_nothing_to_aws(tmp_path: Path) -> None:
    file = tmp_path / "sdk.yaml"
    client_environment(LocalSession("http://a", "http://b", "eu-west-1"), file)
    assert yaml.safe_load(file.read_text())["SageMaker"]["PythonSDK"]["Modules"]["TelemetryOptOut"] is True
