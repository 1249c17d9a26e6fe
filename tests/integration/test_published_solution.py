"""A solution in the published style, three functions in one zip archive and its own state machine, next to ours.

Its functions, and what deploys them, are those of docs/migrating.md.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from orchestration.executions import S3Image
from tests.documents.migrating import python_block
from tests.integration.local_deployment import LocalDeployment

pytestmark = pytest.mark.integration

DEFINITION = Path(__file__).with_name("published_solution.asl.json")
MINIMUM = 0.93


@dataclass(frozen=True)
class Solution:
    """The solution of somebody else, and images in the bucket."""

    deployment: LocalDeployment
    state_machine_arn: str
    role: str
    images: list[S3Image]


@pytest.fixture(scope="module")
def solution(deployment: LocalDeployment, tmp_path_factory: pytest.TempPathFactory) -> Solution:
    folder = tmp_path_factory.mktemp("solution")
    source = folder / "solution.py"
    source.write_text(python_block("def read_image"))
    trust = {"Version": "2012-10-17", "Statement": []}
    role = deployment.client("iam").create_role(RoleName="solution", AssumeRolePolicyDocument=json.dumps(trust))
    names: dict[str, Any] = {}
    exec(compile(python_block("def deploy_solution"), "docs/migrating.md", "exec"), names)  # noqa: S102 - our document
    role_arn = role["Role"]["Arn"]
    arn = names["deploy_solution"](deployment.session, source, DEFINITION, role_arn)
    return Solution(deployment, arn, role_arn, deployment.upload(folder / "images", 6, "solution"))


def execute(solution: Solution, state_machine_arn: str, image: S3Image) -> dict[str, Any]:
    client = solution.deployment.client("stepfunctions")
    event = {"image_data": "", "s3_bucket": image.s3_bucket, "s3_key": image.s3_key, "inferences": []}
    arn = client.start_execution(stateMachineArn=state_machine_arn, name=str(uuid4()), input=json.dumps(event))
    while (result := client.describe_execution(executionArn=arn["executionArn"]))["status"] == "RUNNING":
        pass
    return dict(result)


def predicted(solution: Solution, image: S3Image) -> list[float]:
    body = solution.deployment.client("s3").get_object(Bucket=image.s3_bucket, Key=image.s3_key)["Body"].read()
    runtime = solution.deployment.client("sagemaker-runtime")
    endpoint = solution.deployment.outputs.endpoint_name
    response = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="image/png", Body=body)
    probabilities: list[float] = json.loads(response["Body"].read())
    return probabilities


def test_a_published_solution_runs_unchanged(solution: Solution) -> None:
    statuses = set()
    for image in solution.images:
        result, inferences = execute(solution, solution.state_machine_arn, image), predicted(solution, image)
        statuses.add(result["status"])
        if max(inferences) < MINIMUM:
            assert (result["status"], result["error"]) == ("FAILED", "Exception")
            assert "THRESHOLD_CONFIDENCE_NOT_MET" in result["cause"]
        else:
            output = json.loads(result["output"])
            assert output["statusCode"] == 200
            assert json.loads(json.loads(output["body"])["inferences"]) == inferences
    assert "SUCCEEDED" in statuses


def test_our_function_in_its_state_machine_says_what_to_change(solution: Solution) -> None:
    definition = DEFINITION.read_text("utf-8").replace("function:ask_endpoint", "function:scones-classify")
    machines = solution.deployment.client("stepfunctions")
    mixed = machines.create_state_machine(name="mixed", definition=definition, roleArn=solution.role)
    result = execute(solution, mixed["stateMachineArn"], solution.images[0])
    assert (result["status"], result["error"]) == ("FAILED", "InvalidInput")
    assert r"the fields are under body: set \"InputPath\": \"$.body\"" in result["cause"]
    changed = json.loads(definition)
    changed["States"]["Ask endpoint"] |= {"InputPath": "$.body", "End": True}
    del changed["States"]["Ask endpoint"]["Next"], changed["States"]["Keep sure"]
    machines.update_state_machine(stateMachineArn=mixed["stateMachineArn"], definition=json.dumps(changed))
    result = execute(solution, mixed["stateMachineArn"], solution.images[0])
    assert json.loads(result["output"])["inferences"] == predicted(solution, solution.images[0])


def test_ours_takes_the_event_of_the_exercise(solution: Solution) -> None:
    result = execute(solution, solution.deployment.outputs.state_machine_arn, solution.images[0])
    assert result.get("error") in {None, "ThresholdConfidenceNotMet"}
