"""Every service of LocalStack that the local environment promises responds."""

import json
import time
from pathlib import Path

import pytest

from emulation.localstack.environment import ensure_environment
from emulation.localstack.localstack_variables import OTHER_SERVICES, PRELOADED_SERVICES
from emulation.processes.environment_state import EnvironmentState
from emulation.session import LocalSession

pytestmark = pytest.mark.integration


def test_a_queue_is_reached_by_the_url_that_localstack_gives(session: LocalSession, stack: EnvironmentState) -> None:
    queues = session.client("sqs")
    url = queues.create_queue(QueueName="review")["QueueUrl"]
    assert url.startswith(stack.localstack_url + "/")
    queues.send_message(QueueUrl=url, MessageBody="hello")
    assert queues.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"][0]["Body"] == "hello"


def test_an_object_is_encrypted_by_a_key_of_kms(session: LocalSession) -> None:
    key = session.client("kms").create_key()["KeyMetadata"]["Arn"]
    s3 = session.client("s3")
    s3.create_bucket(Bucket="encrypted")
    s3.put_object(Bucket="encrypted", Key="model", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    assert s3.head_object(Bucket="encrypted", Key="model")["SSEKMSKeyId"] == key


def test_objects_are_stored_apart_from_those_of_other_processes(session: LocalSession, stack: EnvironmentState) -> None:
    session.client("s3").create_bucket(Bucket="stored-apart")
    assert len(list(stack.logs.parent.rglob("stored-apart"))) == 1
    assert not Path("/tmp/localstack-s3-storage/stored-apart").exists()


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("s3", "list_buckets"),
        ("sqs", "list_queues"),
        ("iam", "list_roles"),
        ("sts", "get_caller_identity"),
        ("cloudformation", "list_stacks"),
        ("lambda", "list_functions"),
        ("stepfunctions", "list_state_machines"),
        ("logs", "describe_log_groups"),
        ("cloudwatch", "describe_alarms"),
        ("events", "list_rules"),
        ("ssm", "describe_parameters"),
        ("sns", "list_topics"),
        ("kms", "list_keys"),
        ("secretsmanager", "list_secrets"),
    ],
)
def test_every_service_that_is_promised_answers(session: LocalSession, service: str, operation: str) -> None:
    assert service in PRELOADED_SERVICES + OTHER_SERVICES
    response = getattr(session.client(service), operation)()
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.patches
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_every_file_of_localstack_is_one_that_this_python_can_run(cache: Path) -> None:
    (package,) = ensure_environment(cache).parents[1].glob("lib/python*/site-packages/localstack")
    for file in package.rglob("*.py"):
        compile(file.read_bytes(), file, "exec", dont_inherit=True)


def test_an_execution_that_has_ended_keeps_its_history(session: LocalSession) -> None:
    stepfunctions = session.client("stepfunctions")
    role = session.client("iam").create_role(RoleName="states", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    states = {"Wide": {"Type": "Pass", "Result": "x" * 10_000, "Next": "End"}, "End": {"Type": "Succeed"}}
    definition = json.dumps({"StartAt": "Wide", "States": states})
    machine = stepfunctions.create_state_machine(name="two-states", definition=definition, roleArn=role)
    started = [stepfunctions.start_execution(stateMachineArn=machine["stateMachineArn"]) for _ in range(3)]
    for execution in started:
        arn = execution["executionArn"]
        while stepfunctions.describe_execution(executionArn=arn)["status"] == "RUNNING":
            time.sleep(0.05)
        stepfunctions.stop_execution(executionArn=arn)
        assert stepfunctions.describe_execution(executionArn=arn)["status"] == "SUCCEEDED"
        events = stepfunctions.get_execution_history(executionArn=arn)["events"]
        assert [each["type"] for each in events if each["type"].startswith("Execution")] == [
            "ExecutionStarted",
            "ExecutionSucceeded",
        ]
        entered = next(each for each in events if each["type"] == "SucceedStateEntered")
        assert len(json.loads(entered["stateEnteredEventDetails"]["input"])) == 10_000
        described = stepfunctions.describe_state_machine_for_execution(executionArn=arn)
        assert described["definition"] == definition
