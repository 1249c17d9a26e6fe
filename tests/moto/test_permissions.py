"""The bootstrap stack's policies allow what the commands call, on the resources that they call, and no more."""

import ast
import io
import json
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import Session
from PIL import Image

from orchestration import bootstrap
from tests.contracts.rendered import load
from tests.moto import permissions
from tests.moto.accounts import ACCOUNT, REGION, Account, account
from tests.moto.faults import TimedExecutions
from tests.moto.permissions import allowing, needed, statements
from tests.moto.proxy import Call

pytestmark = pytest.mark.moto
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
WORKFLOW = """
images push
deploy --yes
deploy --yes --threshold 0.9
"""
COMMANDS = """
doctor aws
images push
deploy --diff
rollback --yes
deploy --yes --threshold 0.9 --tag a=b --no-termination-protection
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
destroy --yes --bootstrap
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Call]]:
    """The calls of every command; those of a workflow's two commands also by themselves.

    Some end with an error, because moto runs no state machine: what they have called until then counts.
    """
    folder = tmp_path_factory.mktemp("account")
    with account(folder, TimedExecutions().stubs()) as aws:
        aws.deploy()
        image = _prepare(aws, folder)
        aws.proxy.calls.clear()
        for line in WORKFLOW.split("\n")[1:-1]:
            aws.scones(*line.split())
        workflow = list(aws.proxy.calls)
        for line in COMMANDS.split("\n")[1:-1]:
            aws.user.run(*line.replace("IMAGE", str(image)).replace("FOLDER", str(image.parent)).split())
        return {"workflow": workflow, "all": list(aws.proxy.calls)}


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
    names = [name.partition(":") for name in in_code() - permissions.FREE]
    return {permissions.action(Call(service, operation, {})) for service, _, operation in names}


def test_the_operators_policy_allows_every_recorded_call(recorded: dict[str, list[Call]]) -> None:
    policy = statements("OperatorPolicy")
    wanted = {pair for call in recorded["all"] for pair in needed(call)}
    assert len(wanted) > 60
    assert sorted(pair for pair in wanted if not allowing(policy, pair)) == []


def test_the_operators_policy_allows_every_call_in_the_code(recorded: dict[str, list[Call]]) -> None:
    granted = {action for statement in statements("OperatorPolicy") for action in statement["Action"]}
    assert sorted(actions_in_code() - granted) == []


def test_the_operators_policy_allows_nothing_that_no_command_calls(recorded: dict[str, list[Call]]) -> None:
    used = {action for call in recorded["all"] for action, _ in needed(call)} | actions_in_code() | permissions.PUSH
    granted = {action for statement in statements("OperatorPolicy") for action in statement["Action"]}
    assert sorted(granted - used) == []


def test_the_workflows_role_allows_its_calls_and_nothing_besides(recorded: dict[str, list[Call]]) -> None:
    policy = statements("CiRole")
    wanted = {pair for call in recorded["workflow"] for pair in needed(call)}
    assert sorted(pair for pair in wanted if not allowing(policy, pair)) == []
    # What the engine calls, what follows a deployment without changes or with --role-arn, and what makes a missing
    # revision a 404 instead of a 403.
    besides = {"cloudformation:DeleteChangeSet", "ecr:GetAuthorizationToken", "iam:PassRole", "s3:ListBucket"}
    granted = {action for statement in policy for action in statement["Action"]}
    assert sorted(granted - {action for action, _ in wanted} - besides - permissions.PUSH) == []


def test_the_policy_fits_a_managed_policy() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
    document: Any = load(bootstrap.TEMPLATE.read_text("utf-8"))["Resources"]["OperatorPolicy"]["Properties"]
    assert len("".join(json.dumps(document["PolicyDocument"]).split())) < 6144
