"""The operator's policy and the workflow's role allow what the commands call on AWS, and no more.

Moto answers the commands. An action or resource that they do not need here is listed with its reason.
"""

import ast
import io
import json
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import Session
from PIL import Image

from tests.cli_runner import User
from tests.moto.accounts import ACCOUNT, REGION, Account, account
from tests.moto.faults import TimedExecutions
from tests.moto.proxy import Call
from tests.permissions.iam_requests import FREE, action, requests
from tests.permissions.policies import Where, stacks
from tests.permissions.reasons import not_listed
from tests.permissions.simulation import Simulated, simulated

pytestmark = pytest.mark.moto
WHERE = Where(ACCOUNT, REGION)
ROOT = Path(__file__).parents[2]
BUCKET = f"scones-data-{ACCOUNT}-{REGION}"
PACKAGES = ("scones", "orchestration", "training", "monitoring", "review")
# Names of operations that are methods of something else, and operations for the local target alone.
OTHER_METHODS = frozenset(
    {"sns:Publish", "sagemaker:Search", "sagemaker:ListImages", "s3:CreateBucket", "s3:ListBuckets"}
)
SERVICES = (
    "application-autoscaling", "cloudformation", "cloudwatch", "ecr", "logs", "pricing", "s3", "sagemaker",
    "sagemaker-runtime", "scheduler", "service-quotas", "sns", "sqs", "stepfunctions", "sts",
)  # fmt: skip
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/scones-bootstrap-DeploymentRole-0123456789ab"
# As in .github/workflows/release.yml; the second deployment has changes.
WORKFLOW = """
images push
deploy --yes --role-arn ROLE
deploy --yes --role-arn ROLE --threshold 0.9
"""
COMMANDS = """
doctor aws
images push
deploy --diff
rollback --yes
deploy --yes --role-arn ROLE --threshold 0.9 --tag a=b --no-termination-protection
status
stage --synthetic --others 0
train --yes --epochs 1
endpoint deploy --yes --ttl 4h --max 2
endpoint deploy --yes --ttl 4h --instance-type ml.m5.2xlarge
endpoint status
endpoint invoke IMAGE
evaluate --synthetic --sample 2
run IMAGE
show run-1
batch FOLDER
report
review
review --label a.png=bicycle
redrive --dry-run
redrive --wait
baseline --captured
monitor --publish
endpoint delete --yes
destroy --yes --images
destroy --yes --bootstrap
"""
# Moto runs no state machine, serves no model and writes no captures: these end with an error, and call all the same.
FAILING = ("endpoint invoke", "evaluate", "show", "batch", "redrive --wait", "baseline")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Call]]:
    """The calls of every command; those of a workflow's also by themselves."""
    folder = tmp_path_factory.mktemp("account")
    with account(folder, TimedExecutions().stubs()) as aws:
        aws.deploy()
        image = _prepare(aws, folder)
        with aws.user.with_server() as user:
            workflow = [call for line in WORKFLOW.split("\n")[1:-1] for call in _calls_of(aws, user, line, image)]
            others = [call for line in COMMANDS.split("\n")[1:-1] for call in _calls_of(aws, user, line, image)]
        return {"workflow": workflow, "all": workflow + others}


def _calls_of(aws: Account, user: User, line: str, image: Path) -> list[Call]:
    """Run a command and return what it has called."""
    aws.proxy.calls.clear()
    words = line.replace("ROLE", ROLE_ARN).replace("IMAGE", str(image)).replace("FOLDER", str(image.parent))
    done = user.run(*words.split())
    assert done.returncode == int(line.startswith(FAILING)), f"{line}\n{done.stderr}"
    return list(aws.proxy.calls)


def _prepare(aws: Account, folder: Path) -> Path:
    """Put an image into the bucket and a message about it into each queue; return an image's path."""
    (folder / "images").mkdir()
    image = folder / "images" / "a.png"
    image.write_bytes(_png())
    aws.client("s3").put_object(Bucket=BUCKET, Key="a.png", Body=_png())
    arn = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:scones-classify-image:e"
    body = {"s3_bucket": BUCKET, "s3_key": "a.png", "execution_arn": arn, "error": "E", "inferences": [0.5, 0.5]}
    sqs = aws.client("sqs")
    for queue in ("review", "failure"):
        url = sqs.get_queue_url(QueueName=f"scones-{queue}")["QueueUrl"]
        for message in (body, body | {"input": {"s3_bucket": BUCKET, "s3_key": "a.png"}}):
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps(message))
    return image


def _png() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(content, "PNG")
    return content.getvalue()


def in_code() -> set[str]:
    """The operations whose names the code calls or passes to a paginator, by AST."""
    operations = [
        (xform_name(name), f"{service}:{name}")
        for service in SERVICES
        for name in Session().get_service_model(service).operation_names
    ]
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    files = [path for path in files if not {"vehicle_net", "serving"} & set(path.parts)]
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    names |= {str(node.value) for node in nodes if isinstance(node, ast.Constant) and "_" in str(node.value)}
    return {operation for name, operation in operations if name in names} - OTHER_METHODS


def actions_in_code() -> set[str]:
    names = [name.partition(":") for name in in_code() - FREE]
    return {action(Call(service, operation, {})) for service, _, operation in names}


# https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
PUSH = dict.fromkeys(
    (
        "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:GetAuthorizationToken",
        "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
    ),
    "an image that ECR lacks is pushed by Docker's engine: tests/moto/test_push.py",
)  # fmt: skip
# What the commands do not call here, and why a policy allows it.
NOT_CALLED = {
    "OperatorPolicy": {
        **PUSH,
        "logs:GetLogEvents": "moto's training jobs write no log",
        "s3:AbortMultipartUpload": "uploads that were left half-way are aborted before a bucket is deleted",
        "sqs:GetQueueAttributes": "the review page counts what is left",
        "sqs:SendMessage": "the review page takes a label back",
        "states:DescribeMapRun": "moto's batches have no Map Run; tests/permissions/test_local_environment.py has them",
        "states:GetExecutionHistory": "as above, of a failed execution",
        "states:ListMapRuns": "as above",
        "states:StartSyncExecution": "a stack with WorkflowType=EXPRESS",
        "states:StopExecution": "`scones batch --stop-on-interrupt`",
        "*:express:*": "a stack with WorkflowType=EXPRESS",
        "*:mapRun:*": "moto's batches have no Map Run",
    },
    "CiRole": {
        **PUSH,
        "s3:ListBucket": "without it S3 returns 403 instead of 404 for a stack without earlier revision",
    },
}


@pytest.fixture(scope="module")
def results(recorded: dict[str, list[Call]]) -> dict[str, Simulated]:
    """What IAM would say to every call of the operator, and to those of the workflow's role."""
    callers = {"OperatorPolicy": recorded["all"], "CiRole": recorded["workflow"]}
    _, stack = stacks(WHERE)
    return simulated(
        stack, {name: {each for call in calls for each in requests(call, WHERE)} for name, calls in callers.items()}
    )


@pytest.mark.parametrize("policy", NOT_CALLED)
def test_every_call_is_allowed(policy: str, results: dict[str, Simulated]) -> None:
    assert results[policy].refused == {}


@pytest.mark.parametrize("policy", NOT_CALLED)
def test_everything_that_is_allowed_is_called_or_has_a_reason(policy: str, results: dict[str, Simulated]) -> None:
    found = [*results[policy].unused_actions, *results[policy].unused_resources]
    assert not_listed(found, NOT_CALLED[policy]) == ([], [])


def test_the_operators_policy_allows_every_call_in_the_code() -> None:
    _, stack = stacks(WHERE)
    (policy,) = stack.policies("OperatorPolicy")
    granted = {action for statement in policy["policy"]["Statement"] for action in listed(statement["Action"])}
    assert sorted(actions_in_code() - granted) == []


def test_the_policy_fits_a_managed_policy() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
    _, stack = stacks(WHERE)
    assert len("".join(json.dumps(stack.policies("OperatorPolicy")).split())) < 6144
    assert len("".join(json.dumps(stack.policies("DeploymentRole")).split())) < 10_240


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
