"""The whole template through change sets: made, left alone, changed, refused, rolled back, and removed entirely."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from orchestration import bootstrap, executions, package, stack, stack_outputs, teardown
from orchestration.errors import StackFailed, StackNotFound
from orchestration.executions import S3Image
from orchestration.stack import LOCAL_PARAMETERS, Change
from tests.integration.conftest import Running

pytestmark = pytest.mark.integration

NAME = "whole-template"
PARAMETERS = {"EndpointName": "none", **LOCAL_PARAMETERS}


def uploaded(running: Running) -> stack.Template:
    s3 = running.client("s3")
    return {"TemplateURL": package.upload(s3, bootstrap.local_artifact_bucket(s3))}


@pytest.fixture(scope="module")
def deployed(scripted: Running) -> Iterator[dict[str, str]]:
    cloudformation = scripted.client("cloudformation")
    yield stack.deploy(cloudformation, NAME, uploaded(scripted), PARAMETERS, poll=0.1).outputs
    teardown.delete_stack(cloudformation, scripted.client("s3"), NAME, poll=0.1)


def deploy(running: Running, **parameters: Any) -> stack.Deployment:
    return stack.deploy(running.client("cloudformation"), NAME, uploaded(running), PARAMETERS | parameters, poll=0.1)


def test_what_is_deployed_already_needs_no_change(scripted: Running, deployed: dict[str, str]) -> None:
    assert deploy(scripted).changes == ()


def test_an_update_changes_what_it_must_and_keeps_the_rest(scripted: Running, deployed: dict[str, str]) -> None:
    seen: list[Change] = []
    threshold = PARAMETERS | {"Threshold": "0.8"}
    result = stack.deploy(
        scripted.client("cloudformation"), NAME, uploaded(scripted), threshold, on_changes=seen.extend, poll=0.1
    )
    changed = {change.resource for change in result.changes if change.action != "Remove"}
    assert tuple(seen) == result.changes
    assert {"FilterFunction", "ClassifyBatch"} <= changed
    assert not changed & {"DataBucket", "ReviewQueue", "FailureQueue"}
    assert {**deployed, "Threshold": "0.8"} == result.outputs
    function = scripted.client("lambda").get_function_configuration(FunctionName=f"{NAME}-filter")
    assert function["Environment"]["Variables"] == {"THRESHOLD": "0.8", "LABELS": "bicycle,motorcycle"}


def test_the_one_image_machine_can_be_made_express(scripted: Running, deployed: dict[str, str]) -> None:
    arn = deploy(scripted, WorkflowType="EXPRESS").outputs["StateMachineArn"]
    machines = scripted.client("stepfunctions")
    images = [S3Image("bucket", key) for key in ("good.png", "serialize,UnsupportedImage,always")]
    fine, broken = executions.run(machines, arn, images, run_name="express")
    assert (fine.status, (fine.output or {})["label"], broken.error) == ("SUCCEEDED", "motorcycle", "UnsupportedImage")
    assert deploy(scripted).changes == ()  # what is not named stays as it is
    assert deploy(scripted, WorkflowType="STANDARD").outputs["StateMachineArn"] == deployed["StateMachineArn"]
    named = [machine["stateMachineArn"] for machine in machines.list_state_machines()["stateMachines"]]
    assert arn not in named


HOPELESS = """
Resources:
  Queue: {Type: "AWS::SQS::Queue"}
  Machine:
    Type: AWS::StepFunctions::StateMachine
    DependsOn: Queue
    Properties: {RoleArn: "arn:aws:iam::000000000000:role/any", DefinitionString: '{"StartAt": "Nowhere"}'}
"""


def test_a_rollback_says_what_began_it(scripted: Running) -> None:
    reason = r"ended as ROLLBACK_COMPLETE: Machine \(AWS::StepFunctions::StateMachine\): .*(?i:definition)"
    with pytest.raises(StackFailed, match=reason):
        stack.deploy(scripted.client("cloudformation"), "hopeless", {"TemplateBody": HOPELESS}, {}, poll=0.1)


def test_a_declined_deployment_leaves_nothing(scripted: Running) -> None:
    cloudformation = scripted.client("cloudformation")

    def decline(_changes: tuple[Change, ...]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stack.deploy(cloudformation, "declined", uploaded(scripted), PARAMETERS, on_changes=decline, poll=0.1)
    with pytest.raises(StackNotFound):
        stack_outputs.output_values(cloudformation, "declined")


def named_after(running: Running, name: str) -> set[str]:
    """Everything in the account that carries a stack's name."""
    ask: dict[str, Callable[[Any], Iterable[str]]] = {
        "s3": lambda s3: [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]],
        "sqs": lambda sqs: sqs.list_queues().get("QueueUrls", []),
        "sns": lambda sns: [topic["TopicArn"] for topic in sns.list_topics()["Topics"]],
        "logs": lambda logs: [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]],
        "lambda": lambda lam: [function["FunctionName"] for function in lam.list_functions()["Functions"]],
        "events": lambda events: [rule["Name"] for rule in events.list_rules()["Rules"]],
        "cloudwatch": lambda watch: [alarm["AlarmName"] for alarm in watch.describe_alarms()["MetricAlarms"]],
        "stepfunctions": lambda sf: [machine["name"] for machine in sf.list_state_machines()["stateMachines"]],
        "iam": lambda iam: [
            *(role["RoleName"] for role in iam.list_roles()["Roles"]),
            *(policy["PolicyName"] for policy in iam.list_policies(Scope="Local")["Policies"]),
        ],
    }
    result = [(service, line) for service, names in ask.items() for line in names(running.client(service))]
    return {f"{service} {line}" for service, line in result if name in line}


def test_destroying_a_stack_leaves_nothing_that_is_billed(scripted: Running) -> None:
    cloudformation, s3, name = scripted.client("cloudformation"), scripted.client("s3"), "short-lived"
    outputs = stack.deploy(cloudformation, name, uploaded(scripted), PARAMETERS, poll=0.1).outputs
    assert len({line.split()[0] for line in named_after(scripted, name)}) == 9
    for _ in range(2):
        s3.put_object(Bucket=outputs["DataBucket"], Key="images/old and new.png", Body=b"image")
    s3.delete_object(Bucket=outputs["DataBucket"], Key="images/old and new.png")
    s3.create_multipart_upload(Bucket=outputs["DataBucket"], Key="images/unfinished.png")
    assert teardown.delete_stack(cloudformation, s3, name, poll=0.1)
    assert named_after(scripted, name) == set()
