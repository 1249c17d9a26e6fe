"""Commands of the AWS CLI, version 1 from PyPI, and of LocalStack's awslocal, against one local environment."""

import re
import shlex

import pytest

from tests.clients.conftest import Clients
from tests.integration.local_deployment import LocalDeployment, write_images

pytestmark = pytest.mark.clients

AWS = [
    ("s3 mb s3://{own}-made", "make_bucket"),
    ("s3 ls", "{own}"),
    ("s3 ls s3://{own}/folder/", "b.png"),
    ("s3 cp images/000000.png s3://{own}/copied.png", "upload: "),
    ("s3 sync images s3://{own}/synchronised/", "upload: "),
    ("s3 presign s3://{own}/a.png", "Signature"),
    ("s3api head-object --bucket {own} --key a.png", "ContentLength"),
    ("s3api list-objects-v2 --bucket {own} --prefix folder/ --query Contents[].Key", "folder/b.png"),
    ("sagemaker list-endpoints --query Endpoints[].EndpointName", "{endpoint}"),
    ("sagemaker describe-endpoint --endpoint-name {endpoint} --query EndpointStatus", "InService"),
    ("sagemaker wait endpoint-in-service --endpoint-name {endpoint}", ""),
    ("sagemaker list-endpoint-configs --query EndpointConfigs[].EndpointConfigName", "{endpoint}-"),
    ("sagemaker list-models --query Models[].ModelName", "{endpoint}-"),
    ("sagemaker list-training-jobs", "TrainingJobSummaries"),
    ("sagemaker list-tags --resource-arn {endpoint_arn}", "Tags"),
    ("sagemaker-runtime invoke-endpoint --endpoint-name {endpoint} --content-type {image} answer.json", "AllTraffic"),
    ("application-autoscaling describe-scalable-targets --service-namespace sagemaker", "ScalableTargets"),
    ("stepfunctions list-state-machines --query stateMachines[].stateMachineArn", "{machine}"),
    ("stepfunctions start-execution --state-machine-arn {machine} --input {input}", "executionArn"),
    ("lambda list-functions --query Functions[].FunctionName", "serialize"),
    ("lambda invoke --function-name {function} --payload {input} answer.json", "200"),
    ("cloudformation describe-stacks --query Stacks[].StackStatus", "CREATE_COMPLETE"),
    ("logs describe-log-groups --query logGroups[].logGroupName", "/aws/"),
    ("sqs list-queues --endpoint-url {localstack}", "{queue}"),
    ("kms create-key --query KeyMetadata.Enabled", "true"),
    ("sts get-caller-identity --query Account", "000000000000"),
]
AWSLOCAL = [
    ("s3 ls", "{own}"),
    ("s3 cp images/000001.png s3://{own}/local.png", "upload: "),
    ("s3api list-buckets --query Buckets[].Name", "{own}"),
    ("s3api get-object --bucket {own} --key a.png fetched.png", "ContentLength"),
    ("s3api put-object-tagging --bucket {own} --key a.png --tagging TagSet=[{{Key=a,Value=b}}]", ""),
    ("s3api get-bucket-versioning --bucket {own}", ""),
    ("sqs list-queues", "{queue}"),
    ("sqs get-queue-attributes --queue-url {queue} --attribute-names All", "RedrivePolicy"),
    ("sqs receive-message --queue-url {queue}", ""),
    ("stepfunctions list-state-machines", "{machine}"),
    ("stepfunctions describe-state-machine --state-machine-arn {machine} --query status", "ACTIVE"),
    ("stepfunctions list-executions --state-machine-arn {machine}", "executions"),
    ("lambda list-functions", "serialize"),
    ("lambda get-function-configuration --function-name {function}", "Image"),
    ("cloudformation list-stacks", "StackSummaries"),
    ("cloudformation describe-stack-resources --stack-name scones", "AWS::StepFunctions::StateMachine"),
    ("cloudwatch describe-alarms --query MetricAlarms[].AlarmName", "scones-"),
    ("events list-rules", "Rules"),
    ("logs describe-log-groups", "logGroups"),
    ("iam list-roles --query Roles[].RoleName", "scones"),
    ("kms list-keys", "Keys"),
    ("sts get-caller-identity", "000000000000"),
]


@pytest.fixture(scope="module")
def names(clients: Clients, deployment: LocalDeployment) -> dict[str, str]:
    """What the commands speak of."""
    own, outputs = "other-clients", deployment.outputs
    write_images(clients.folder / "images", 3)
    s3 = deployment.client("s3")
    s3.create_bucket(Bucket=own)
    for key in ("a.png", "folder/b.png"):
        s3.put_object(Bucket=own, Key=key, Body=(clients.folder / "images" / "000000.png").read_bytes())
    endpoint = deployment.client("sagemaker").describe_endpoint(EndpointName=outputs.endpoint_name)
    functions = [each["FunctionName"] for each in deployment.client("lambda").list_functions()["Functions"]]
    return {
        "own": own,
        "endpoint": outputs.endpoint_name,
        "endpoint_arn": endpoint["EndpointArn"],
        "machine": outputs.state_machine_arn,
        "queue": outputs.review_queue_url,
        "function": next(name for name in functions if name.endswith("serialize")),
        "image": "image/png --body fileb://images/000000.png",
        "input": shlex.quote(f'{{"s3_bucket": "{own}", "s3_key": "a.png"}}'),
        "localstack": deployment.state.localstack_url,
    }


def check(clients: Clients, names: dict[str, str], program: str, command: str, expected: str) -> None:
    done = clients.run(program, *shlex.split(command.format(**names)))
    assert done.returncode == 0, done.stderr
    assert expected.format(**names) in done.stdout


@pytest.mark.parametrize(("command", "expected"), AWS)
def test_the_aws_cli(clients: Clients, names: dict[str, str], command: str, expected: str) -> None:
    check(clients, names, "aws", command, expected)


@pytest.mark.parametrize(("command", "expected"), AWSLOCAL)
def test_awslocal(clients: Clients, names: dict[str, str], command: str, expected: str) -> None:
    check(clients, names, "awslocal", command, expected)


@pytest.mark.parametrize(
    ("command", "operation"),
    [
        ("list-processing-jobs", "ListProcessingJobs"),
        ("list-monitoring-schedules", "ListMonitoringSchedules"),
        ("list-hyper-parameter-tuning-jobs", "ListHyperParameterTuningJobs"),
        ("list-model-package-groups", "ListModelPackageGroups"),
        ("search --resource TrainingJob", "Search"),
        ("describe-inference-component --inference-component-name a", "DescribeInferenceComponent"),
    ],
)
def test_what_is_not_emulated_is_refused_by_its_name(clients: Clients, command: str, operation: str) -> None:
    done = clients.run("aws", "sagemaker", *command.split())
    assert done.returncode != 0
    assert re.search(
        rf"\(UnknownOperationException\) .* {operation} operation: {operation} is not emulated", done.stderr
    )
