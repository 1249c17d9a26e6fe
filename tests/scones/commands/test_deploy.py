"""What `scones deploy` and `scones destroy` do beside the stack itself, which tests/integration drives."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestration import container_images as registry
from orchestration import stack, teardown
from orchestration.errors import StackMissing
from scones import aws as sessions
from scones import container_images, pipeline
from scones.cli import app
from scones.settings import Settings, Target
from training import endpoint_deployment
from training.errors import EndpointMissing

DIGEST = "sha256:" + "b" * 64
CHANGE = stack.Change("Modify", "FilterFunction", "AWS::Lambda::Function")


class Surroundings:
    """Stands for AWS; writes down what was asked of it."""

    region_name = "us-east-1"

    def __init__(self) -> None:
        self.parameters: dict[str, str] = {}
        self.held: dict[str, str] = {}
        self.architectures: list[str] = []
        self.changes: tuple[stack.Change, ...] = (CHANGE,)
        self.published: list[tuple[str, ...]] = []
        self.done: list[str] = []
        self.stacks = {"scones"}

    def client(self, name: str, **_: Any) -> str:
        return name

    def publish(self, _session: Any, _settings: Settings, names: tuple[str, ...], architecture: str) -> dict[str, Any]:
        self.published.append(names)
        self.architectures.append(architecture)
        return {
            name: registry.Published(name, f"scones/{name}", "t", DIGEST, f"ecr/scones/{name}@{DIGEST}", pushed=True)
            for name in names
        }

    def deploy_stack(self, _: Any, __: Any, parameters: dict[str, str], show: Any, ___: Any) -> stack.Deployment:
        self.parameters = parameters
        if self.changes:
            show(self.changes)
            self.done.append("applied")
        return stack.Deployment({"DataBucket": "data"}, self.changes)

    def outputs(self, _: Any, name: str) -> dict[str, str]:
        if name not in self.stacks:
            raise StackMissing(name)
        return {}

    def write(self, what: str, answer: Any = None) -> Any:
        def call(*arguments: Any, **_: Any) -> Any:
            self.done.append(what)
            return list(arguments[-1]) if answer is None else answer

        return call


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    here = Surroundings()
    monkeypatch.setattr(sessions, "session", lambda _: here)
    monkeypatch.setattr(container_images, "publish", here.publish)
    monkeypatch.setattr(pipeline, "deploy_stack", here.deploy_stack)
    monkeypatch.setattr(stack, "outputs", here.outputs)
    monkeypatch.setattr(stack, "parameters_of", lambda _, __: here.held)
    monkeypatch.setattr(teardown, "resources", lambda _, __, kind: ["data"] if "Bucket" in kind else ["/aws/lambda/f"])
    monkeypatch.setattr(teardown, "delete_stack", here.write("stack", answer=True))
    monkeypatch.setattr(teardown, "delete_log_groups", here.write("logs"))
    monkeypatch.setattr(registry, "delete_repositories", here.write("images"))
    monkeypatch.setattr(endpoint_deployment, "delete", here.write("endpoint", answer=["scones-vehicles"]))
    return here


def scones(*arguments: str, answer: str = "") -> Any:
    return CliRunner().invoke(app, list(arguments), input=answer)


def test_on_aws_the_stack_gets_every_image_by_digest(aws: Surroundings) -> None:
    result = scones("deploy", "--target", "aws", "--yes", "--architecture", "arm64", "--json")
    assert result.exit_code == 0, result.output
    uris = {
        f"{name.capitalize()}ImageUri": f"ecr/scones/{name}@{DIGEST}" for name in ("serialize", "classify", "filter")
    }
    assert aws.parameters == {"Architecture": "arm64", "InferenceRepository": "scones/inference", **uris}
    found = json.loads(result.stdout)
    assert (found["changed"], found["changes"][0]["resource"]) == (True, "FilterFunction")
    assert found["images"]["filter"] == f"ecr/scones/filter@{DIGEST}"


def test_images_are_built_for_what_the_stack_runs_on_already(aws: Surroundings) -> None:
    aws.held = {"Architecture": "arm64"}
    assert scones("deploy", "--target", "aws", "--yes").exit_code == 0
    assert aws.architectures == ["arm64"]
    assert "Architecture" not in aws.parameters


def test_what_will_be_replaced_is_shown(aws: Surroundings) -> None:
    aws.changes = (stack.Change("Modify", "ClassifyImage", "AWS::StepFunctions::StateMachine", "True"),)
    assert "ClassifyImage  replaced by a new one" in scones("deploy").stderr


def test_locally_no_image_is_pushed(aws: Surroundings) -> None:
    assert scones("deploy", "--threshold", "0.9").exit_code == 0
    assert aws.published == []
    assert aws.parameters == {"Threshold": "0.9"}


def test_any_parameter_of_the_template_can_be_given(aws: Surroundings) -> None:
    assert scones("deploy", "--parameter", "WorkflowType=EXPRESS", "--parameter", "AlarmEmail=a@b.c?x=y").exit_code == 0
    assert aws.parameters == {"WorkflowType": "EXPRESS", "AlarmEmail": "a@b.c?x=y"}
    assert scones("deploy", "--parameter", "WorkflowType").exit_code == 2


def test_the_changes_are_shown_and_nothing_happens_without_a_yes(aws: Surroundings) -> None:
    result = scones("deploy", "--target", "aws", answer="n\n")
    assert result.exit_code == 1
    assert "FilterFunction" in result.stderr
    assert aws.done == []


def test_no_change_says_so_and_is_no_error(aws: Surroundings) -> None:
    aws.changes = ()
    result = scones("deploy", "--json")
    assert result.exit_code == 0
    assert "nothing to change" in result.stderr
    assert json.loads(result.stdout)["changed"] is False


def test_destroy_asks_on_aws_and_names_what_will_be_gone(aws: Surroundings) -> None:
    result = scones("destroy", "--target", "aws", "--images", answer="n\n")
    assert result.exit_code == 1
    assert all(what in result.stderr for what in ("scones-vehicles", "every object in data", "ECR"))
    assert aws.done == []


def test_destroy_deletes_endpoint_stack_logs_and_images_in_that_order(aws: Surroundings) -> None:
    result = scones("destroy", "--target", "aws", "--images", "--yes", "--json")
    assert result.exit_code == 0, result.output
    assert aws.done == ["endpoint", "stack", "logs", "images"]
    gone = json.loads(result.stdout)["deleted"]
    assert {"/aws/lambda/f", "/aws/sagemaker/Endpoints/scones-vehicles", "scones/inference", "scones/filter"} <= set(
        gone
    )


def test_images_stay_unless_asked_for_and_that_is_said(aws: Surroundings) -> None:
    result = scones("destroy", "--target", "aws", "--yes")
    assert "images" not in aws.done
    assert "--images" in result.stderr


def test_a_destroy_that_was_cut_off_can_be_finished(aws: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.stacks.clear()

    def missing(_: Any, name: str) -> list[str]:
        raise EndpointMissing(name)

    monkeypatch.setattr(endpoint_deployment, "delete", missing)
    assert scones("destroy", "--target", "aws", "--images", "--yes").exit_code == 0
    assert aws.done == ["logs", "images"]


def test_destroying_nothing_is_a_named_error(aws: Surroundings) -> None:
    aws.stacks.clear()
    assert isinstance(scones("destroy").exception, StackMissing)


@pytest.mark.parametrize(
    ("instance_type", "architecture"),
    [("ml.m5.xlarge", "x86_64"), ("ml.g5.xlarge", "x86_64"), ("ml.g4dn.xlarge", "x86_64"), ("ml.c7g.large", "arm64")],
)
def test_the_inference_image_is_built_for_its_instance(
    aws: Surroundings, monkeypatch: pytest.MonkeyPatch, instance_type: str, architecture: str
) -> None:
    chosen: list[str] = []

    def publish(session: Any, settings: Settings, names: tuple[str, ...], given: str) -> dict[str, Any]:
        chosen.append(given)
        return aws.publish(session, settings, names, given)

    monkeypatch.setattr(container_images, "publish", publish)
    session: Any = aws
    uri = container_images.inference(session, Settings(target=Target.AWS), instance_type)
    assert (uri, chosen) == (f"ecr/scones/inference@{DIGEST}", [architecture])


def test_locally_the_inference_image_needs_no_registry(aws: Surroundings) -> None:
    session: Any = aws
    assert container_images.inference(session, Settings(), "ml.m5.xlarge") is None


def test_pushing_to_a_local_target_is_refused_by_name(aws: Surroundings) -> None:
    result = scones("images", "push", "--target", "local")
    assert "--target aws" in str(result.exception)
