"""The real LocalStack runs image Lambdas through the plugin: invoked, from Step Functions, from CloudFormation."""

import json
import re
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from emulation.processes.environment_state import EnvironmentState
from emulation.session import LocalSession
from tests.emulation.lambda_hosts import LambdaEndpoint

pytestmark = pytest.mark.integration

ROLE = "arn:aws:iam::000000000000:role/any"
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/scones/{}:1"
RETRY = [
    {
        "ErrorEquals": ["Lambda.ServiceException", "Lambda.TooManyRequestsException", "Lambda.AWSLambdaException"],
        "IntervalSeconds": 1,
        "MaxAttempts": 1,
    }
]


@pytest.fixture(scope="module")
def functions(session: LocalSession) -> Any:
    return session.client("lambda", config=Config(retries={"total_max_attempts": 1}))


@pytest.fixture(scope="module")
def machines(session: LocalSession) -> Any:
    return session.client("stepfunctions")


@pytest.fixture(scope="module")
def probe_function(functions: Any) -> str:
    return _create(
        functions,
        "probe-function",
        "probe",
        Timeout=3,
        MemorySize=256,
        Environment={"Variables": {"THRESHOLD": "0.94"}},
    )


def _create(functions: Any, name: str, image: str, **configuration: Any) -> str:
    code = {"ImageUri": IMAGE.format(image)}
    functions.create_function(FunctionName=name, PackageType="Image", Code=code, Role=ROLE, **configuration)
    functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    return name


def _invoke(functions: Any, name: str, **event: Any) -> tuple[Any, str | None]:
    response = functions.invoke(FunctionName=name, Payload=json.dumps(event))
    return json.loads(response["Payload"].read()), response.get("FunctionError")


def test_a_function_answers(functions: Any, probe_function: str) -> None:
    assert _invoke(functions, probe_function, do="echo", key="żółw") == ({"do": "echo", "key": "żółw"}, None)


def test_an_exception_is_a_function_error_under_its_own_name(functions: Any, probe_function: str) -> None:
    report, kind = _invoke(functions, probe_function, do="fail")
    assert (report["errorType"], kind) == ("ThresholdConfidenceNotMet", "Unhandled")


def test_the_functions_configuration_reaches_its_container(functions: Any, probe_function: str) -> None:
    described, _ = _invoke(functions, probe_function, do="describe")
    assert (described["function_name"], described["memory_limit_in_mb"]) == (probe_function, "256")
    assert _invoke(functions, probe_function, do="variable", variable="THRESHOLD")[0] == {
        "now": "0.94",
        "at_import": "0.94",
    }
    assert _invoke(functions, probe_function, do="variable", variable="MARK")[0]["now"] == "m"
    report, _ = _invoke(functions, probe_function, do="sleep", seconds=30)
    assert report["errorType"] == "Sandbox.Timedout"


def test_a_handler_is_imported_when_its_function_is_created_not_when_it_is_first_called(
    functions: Any, stack: EnvironmentState
) -> None:
    before = LambdaEndpoint(stack.lambda_urls["probe"]).do("process")
    name = _create(functions, "early", "probe", Environment={"Variables": {"THRESHOLD": "0.1"}})
    imported = LambdaEndpoint(stack.lambda_urls["probe"]).do("process")
    assert imported != before
    assert _invoke(functions, name, do="process")[0] == imported


def test_a_changed_environment_reaches_the_container(functions: Any) -> None:
    name = _create(functions, "changing", "probe", Environment={"Variables": {"THRESHOLD": "0.94"}})
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": {"THRESHOLD": "0.5"}})
    functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    assert _invoke(functions, name, do="variable", variable="THRESHOLD")[0] == {"now": "0.5", "at_import": "0.5"}


def test_two_functions_of_one_image_keep_their_own_environments(functions: Any) -> None:
    names = [
        _create(functions, f"twin-{n}", "probe", Environment={"Variables": {"THRESHOLD": f"0.{n}"}}) for n in (1, 2)
    ]
    for _ in range(2):
        assert [_invoke(functions, name, do="variable", variable="THRESHOLD")[0]["now"] for name in names] == [
            "0.1",
            "0.2",
        ]


def test_many_invocations_at_once_all_answer(functions: Any, probe_function: str) -> None:
    responses: list[Any] = []
    calling = [
        threading.Thread(
            target=lambda n=n: responses.append(_invoke(functions, probe_function, do="echo", n=n)[0]["n"])
        )
        for n in range(20)
    ]
    for thread in calling:
        thread.start()
    for thread in calling:
        thread.join()
    assert sorted(responses) == list(range(20))


def test_a_function_without_a_container_is_not_created(functions: Any) -> None:
    functions.create_function(
        FunctionName="stranger", PackageType="Image", Code={"ImageUri": IMAGE.format("stranger")}, Role=ROLE
    )
    while (configuration := functions.get_function(FunctionName="stranger")["Configuration"])["State"] == "Pending":
        time.sleep(0.05)
    assert configuration["State"] == "Failed"
    assert "no container runs the image" in configuration["StateReason"]
    with pytest.raises(ClientError):
        functions.invoke(FunctionName="stranger", Payload=b"{}")


def _run(machines: Any, function: str, event: dict[str, Any], **state: Any) -> dict[str, Any]:
    """Run a machine of one state that calls ``function``; everything caught ends in a state that shows the error."""
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": function, "Payload.$": "$"},
        "OutputPath": "$.Payload",
        "End": True,
        **state,
    }
    states = {"Call": task, "Caught": {"Type": "Pass", "Parameters": {"caught.$": "$.Error"}, "End": True}}
    name = f"machine-{time.monotonic_ns()}"
    definition = json.dumps({"StartAt": "Call", "States": states})
    machine = machines.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]
    execution = machines.start_execution(stateMachineArn=machine, input=json.dumps(event))["executionArn"]
    while (outcome := machines.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.05)
    return dict(outcome)


def test_step_functions_gets_the_result(machines: Any, probe_function: str) -> None:
    outcome = _run(machines, probe_function, {"do": "echo"})
    assert (outcome["status"], json.loads(outcome["output"])) == ("SUCCEEDED", {"do": "echo"})


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ({"do": "fail"}, "ThresholdConfidenceNotMet"),
        ({"do": "chain"}, "ImageNotFound"),
        ({"do": "quit", "status": 1}, "Runtime.ExitError"),
        ({"do": "sleep", "seconds": 30}, "Sandbox.Timedout"),
        ({"do": "set"}, "Runtime.MarshalError"),
    ],
)
def test_step_functions_catches_each_error_by_its_name(
    machines: Any, probe_function: str, event: dict[str, Any], name: str
) -> None:
    outcome = _run(machines, probe_function, event, Catch=[{"ErrorEquals": [name], "Next": "Caught"}])
    assert (outcome["status"], json.loads(outcome["output"])) == ("SUCCEEDED", {"caught": name})


def test_an_execution_that_catches_nothing_fails_under_the_errors_name(machines: Any, probe_function: str) -> None:
    outcome = _run(
        machines, probe_function, {"do": "fail"}, Catch=[{"ErrorEquals": ["ImageNotFound"], "Next": "Caught"}]
    )
    assert (outcome["status"], outcome["error"]) == ("FAILED", "ThresholdConfidenceNotMet")


def test_an_error_of_lambda_is_the_same_by_a_call_and_by_a_client(machines: Any) -> None:
    called = _run(machines, "nobody", {})
    sent = _run(machines, "nobody", {}, Parameters={"FunctionName": "nobody", "InvocationType": "RequestResponse"})
    assert called["error"] == sent["error"] == "Lambda.ResourceNotFoundException"
    request_id = re.compile("Request ID: [0-9a-f-]{36}")
    assert request_id.sub("", called["cause"]) == request_id.sub("", sent["cause"])
    assert "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody" in called["cause"]


def test_invocations_and_errors_are_counted_in_cloudwatch(session: LocalSession, functions: Any) -> None:
    name = _create(functions, "counted", "probe")
    for act in ("echo", "fail", "echo"):
        _invoke(functions, name, do=act)
    cloudwatch, since = session.client("cloudwatch"), datetime.now(UTC) - timedelta(hours=1)

    def total(metric: str) -> float:
        statistics = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": name}],
            StartTime=since,
            EndTime=datetime.now(UTC) + timedelta(hours=1),
            Period=60,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in statistics["Datapoints"]))

    while total("Invocations") < 3:
        time.sleep(0.1)
    assert (total("Invocations"), total("Errors")) == (3, 1)


def test_a_container_that_is_gone_is_an_error_that_step_functions_retries(
    functions: Any, machines: Any, stack: EnvironmentState
) -> None:
    name = _create(functions, "mortal-function", "mortal")
    host = LambdaEndpoint(stack.lambda_urls["mortal"])
    _stop_host_behind(host)
    started = time.monotonic()
    outcome = _run(
        machines, name, {}, Retry=RETRY, Catch=[{"ErrorEquals": ["Lambda.ServiceException"], "Next": "Caught"}]
    )
    assert json.loads(outcome["output"]) == {"caught": "Lambda.ServiceException"}
    assert time.monotonic() - started > 1


def _stop_host_behind(endpoint: LambdaEndpoint) -> None:
    psutil.Process(endpoint.do("process")).parent().kill()  # type: ignore[union-attr]


TEMPLATE = {
    "Parameters": {"Threshold": {"Type": "String"}},
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                }
            },
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "PackageType": "Image",
                "Code": {"ImageUri": IMAGE.format("probe")},
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Environment": {"Variables": {"THRESHOLD": {"Ref": "Threshold"}}},
            },
        },
    },
    "Outputs": {"Function": {"Value": {"Ref": "Function"}}},
}


def test_cloudformation_creates_a_function_that_answers_through_a_change_set(
    session: LocalSession, functions: Any
) -> None:
    formation = session.client("cloudformation")
    formation.create_change_set(
        StackName="one-function",
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps(TEMPLATE),
        Parameters=[{"ParameterKey": "Threshold", "ParameterValue": "0.8"}],
        Capabilities=["CAPABILITY_IAM"],
    )
    names = {"StackName": "one-function", "ChangeSetName": "first"}
    formation.get_waiter("change_set_create_complete").wait(**names, WaiterConfig={"Delay": 1})
    formation.execute_change_set(**names)
    formation.get_waiter("stack_create_complete").wait(StackName="one-function", WaiterConfig={"Delay": 1})
    outputs = formation.describe_stacks(StackName="one-function")["Stacks"][0]["Outputs"]
    assert _invoke(functions, outputs[0]["OutputValue"], do="variable", variable="THRESHOLD")[0]["now"] == "0.8"
