"""Every role has exactly the permissions that its code or state machine needs.

The needs are read from the functions' code (calls of AWS clients), from the state machines (the resources of their
states), and from a table of what AWS itself does with a role, each entry with its source.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import Session

from core.defaults import DATASETS
from orchestration.package import TEMPLATE
from tests.contracts.rendered import load, machines
from training.endpoint_ttl import ACTION
from training.jobs import PREFIX

ROOT = Path(__file__).parents[2]
RESOURCES: dict[str, dict[str, Any]] = load(TEMPLATE.read_text("utf-8"))["Resources"]

# The actions and resources that a call needs.
# https://docs.aws.amazon.com/service-authorization/latest/reference/
CALLS = {
    ("s3", "get_object"): {("s3:GetObject", "DataBucket/*"), ("s3:ListBucket", "DataBucket")},
    ("sagemaker-runtime", "invoke_endpoint"): {("sagemaker:InvokeEndpoint", "endpoint/EndpointName")},
}
SIGNED_FOR = {"s3": "s3", "sagemaker": "sagemaker-runtime"}
TASKS = {
    "lambda:invoke": "lambda:InvokeFunction",
    "sqs:sendMessage": "sqs:SendMessage",
    "aws-sdk:sfn:describeMapRun": "states:DescribeMapRun",
    "aws-sdk:cloudwatch:putMetricData": "cloudwatch:PutMetricData",
    # https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    "s3:listObjectsV2": "s3:ListBucket",
    "s3:getObject": "s3:GetObject",
}
BATCH = "classify-batch"
STATE_RESOURCES = {
    "s3:ListBucket": "DataBucket",
    "s3:GetObject": "DataBucket/*",
    "states:DescribeMapRun": f"mapRun:{BATCH}/*",
    "cloudwatch:PutMetricData": "*",
}
DISTRIBUTED_MAP = {
    # https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    ("states:StartExecution", f"stateMachine:{BATCH}"),
    ("states:DescribeExecution", f"execution:{BATCH}/*"),
    ("states:StopExecution", f"execution:{BATCH}/*"),
    ("s3:PutObject", "DataBucket/batch-results/*"),
    ("s3:ListMultipartUploadParts", "DataBucket/batch-results/*"),
    ("s3:AbortMultipartUpload", "DataBucket/batch-results/*"),
}
ENDPOINT = {
    # https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createmodel-perms
    ("s3:GetObject", "DataBucket/models/*"),
    ("s3:GetObject", "DataBucket/training/*"),
    ("s3:ListBucket", "DataBucket"),
    ("s3:PutObject", "DataBucket/capture/*"),
    *(
        (f"logs:{name}", f"log-group:/aws/sagemaker/Endpoints/{endpoint}:*")
        for name in ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")
        for endpoint in ("EndpointName", "EndpointName-rehearsal")
    ),
    ("cloudwatch:PutMetricData", "*"),
    ("ecr:GetAuthorizationToken", "*"),
    *(
        (f"ecr:{name}", f"repository/{repository}")
        for name in ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
        for repository in ("InferenceRepository", "image-classification")
    ),
}
TRAINING = {
    # https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createtrainingjob-perms
    ("s3:GetObject", "DataBucket/datasets/*"),
    ("s3:GetObject", "DataBucket/training/*"),
    ("s3:PutObject", "DataBucket/training/*"),
    ("s3:ListBucket", "DataBucket"),
    *(
        (f"logs:{name}", "log-group:/aws/sagemaker/TrainingJobs:*")
        for name in ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")
    ),
    ("cloudwatch:PutMetricData", "*"),
    ("ecr:GetAuthorizationToken", "*"),
    *(
        (f"ecr:{name}", f"repository/{repository}")
        for name in ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
        for repository in ("image-classification", "pytorch-training")
    ),
}
FUNCTIONS = {"serialize": "SerializeRole", "classify": "ClassifyRole", "filter": "FilterRole"}
MACHINES = {"classify_image": "ClassifyImageRole", "classify_batch": "ClassifyBatchRole"}


def target(resource: Any) -> str:
    """Return a policy's resource in the notation of the tables above."""
    if isinstance(resource, dict):
        (resource,) = resource.values()
    text = str(resource).removesuffix(".Arn")
    text = re.sub(r"^arn:\$\{AWS::Partition\}:[\w-]+:\$\{AWS::Region\}:(\$\{AWS::AccountId\}|\*):", "", text)
    return re.sub(r"\$\{(?:AWS::StackName\}-)?(\w+)?(?:\.Arn)?\}?", lambda match: match[1] or "", text)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(role: str) -> Iterator[dict[str, Any]]:
    for policy in RESOURCES[role]["Properties"]["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


def allowed(role: str) -> set[tuple[str, str]]:
    """Every pair of action and resource in a role's own policies."""
    pairs = set()
    for statement in statements(role):
        assert statement["Effect"] == "Allow"
        pairs |= {(a, target(r)) for a in listed(statement["Action"]) for r in listed(statement["Resource"])}
    return pairs


def calls(service: str) -> set[tuple[str, str]]:
    """The calls that a function's code makes: methods named as operations of the service it signs for, by AST."""
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "services" / service).glob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    signed = {
        node.args[1].value
        for node in nodes
        if isinstance(node.func, ast.Name)
        and node.func.id in {"SigV4Auth", "S3SigV4Auth"}
        and isinstance(node.args[1], ast.Constant)
    }
    methods = {node.func.attr for node in nodes if isinstance(node.func, ast.Attribute)}
    made = set()
    for name in (SIGNED_FOR[str(each)] for each in signed):
        operations = Session().get_service_model(name).operation_names
        made |= {(name, method) for method in methods & set(map(xform_name, operations))}
    return made


def tasks(machine: str) -> set[tuple[str, str]]:
    """The actions of a machine's states, each with its resource."""
    whole = json.loads((TEMPLATE.parent / f"{machine}.asl.json").read_text("utf-8"))
    states = [state for part in machines(whole) for state in part["States"].values()]
    actions = set()
    for part in [*states, *(state["ItemReader"] for state in states if "ItemReader" in state)]:
        if "Resource" in part:
            kind = part["Resource"].split(":states:::")[1]
            assert kind in TASKS, "a new kind of task: add its action to TASKS"
            action = TASKS[kind]
            to = part["Parameters"].get("FunctionName") or part["Parameters"].get("QueueUrl")
            actions.add((action, to[2:-1] if to else STATE_RESOURCES[action]))
    return actions


@pytest.mark.parametrize("service", FUNCTIONS)
def test_a_function_may_do_what_its_code_does_and_write_its_log(service: str) -> None:
    made = calls(service)
    assert made <= set(CALLS), "a new call: add its permissions to CALLS"
    logs = f"{service.capitalize()}Logs"
    needed = {pair for call in made for pair in CALLS[call]}
    assert allowed(FUNCTIONS[service]) == needed | {("logs:CreateLogStream", logs), ("logs:PutLogEvents", logs)}


def test_every_call_in_the_table_is_made_by_some_function() -> None:
    assert {call for service in FUNCTIONS for call in calls(service)} == set(CALLS)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_may_do_what_its_states_do(machine: str) -> None:
    own = DISTRIBUTED_MAP if machine == "classify_batch" else set()
    assert allowed(MACHINES[machine]) == tasks(machine) | own


def test_the_endpoint_may_do_what_sagemaker_says_it_needs() -> None:
    assert allowed("EndpointRole") == ENDPOINT


def test_a_training_job_may_do_what_sagemaker_says_it_needs_in_its_own_prefixes() -> None:
    assert allowed("TrainingRole") == TRAINING
    assert f"DataBucket/{PREFIX}/*" in {resource for _, resource in TRAINING}
    assert f"DataBucket/{DATASETS}/*" in {resource for _, resource in TRAINING}


def test_the_deletion_role_may_delete_only_the_stacks_endpoints() -> None:
    called = xform_name(ACTION.rpartition(":")[2])
    operations = Session().get_service_model("sagemaker").operation_names
    (action,) = [f"sagemaker:{name}" for name in operations if xform_name(name) == called]
    assert allowed("EndpointDeletionRole") == {
        (action, "endpoint/EndpointName"),
        (action, "endpoint/EndpointName-rehearsal"),
        # What DeleteEndpoint does in its caller's name to an endpoint that scales, and where a failed deletion goes.
        ("application-autoscaling:DeregisterScalableTarget", "scalable-target/*"),
        ("sqs:SendMessage", "DeadLetterQueue"),
    }


def test_the_trigger_may_start_the_machine_that_it_targets() -> None:
    (rule,) = RESOURCES["IncomingRule"]["Properties"]["Targets"]
    assert target(rule["RoleArn"]) == "IncomingRole"
    assert allowed("IncomingRole") == {("states:StartExecution", target(rule["Arn"]))}


def test_another_bucket_may_be_read_as_the_stacks_own_and_by_the_same_roles() -> None:
    policy = RESOURCES["ImageBucketPolicy"]["Properties"]
    roles = {target(role) for role in policy["Roles"]}
    granted = {(s["Action"], s["Resource"]["Sub"]) for s in policy["PolicyDocument"]["Statement"]}
    bucket = "arn:${AWS::Partition}:s3:::${ImageBucket}"
    assert granted == {("s3:GetObject", f"{bucket}/*"), ("s3:ListBucket", bucket)}
    reading = {("s3:GetObject", "DataBucket/*"), ("s3:ListBucket", "DataBucket")}
    assert roles == {name for name in (*FUNCTIONS.values(), *MACHINES.values()) if allowed(name) >= reading}


def test_resource_policies_allow_only_what_the_template_uses() -> None:
    """Resource policies allow two things: failed events to the dead-letter queue, alarms to the topic."""
    kinds = ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy")
    documents = [r["Properties"]["PolicyDocument"] for r in RESOURCES.values() if r["Type"] in kinds]
    stated = [statement for document in documents for statement in document["Statement"]]
    granted = {
        (
            s["Principal"]["Service"],
            s["Action"],
            target(s["Resource"]),
            *(key for of in s["Condition"].values() for key in of),
        )
        for s in stated
        if s["Effect"] == "Allow"
    }
    (event,) = RESOURCES["IncomingRule"]["Properties"]["Targets"]
    notified = {
        target(action)
        for r in RESOURCES.values()
        if r["Type"] == "AWS::CloudWatch::Alarm"
        for action in r["Properties"]["AlarmActions"]
    }
    (topic,) = notified
    assert granted == {
        ("events.amazonaws.com", "sqs:SendMessage", target(event["DeadLetterConfig"]["Arn"]), "aws:SourceArn"),
        ("cloudwatch.amazonaws.com", "sns:Publish", topic, "aws:SourceAccount"),
    }
    denied = {s["Sid"] for s in stated if s["Effect"] == "Deny"}
    assert (denied, len(stated)) == ({"EncryptedConnectionsOnly"}, len(granted) + len(kinds))


def test_every_role_is_tested() -> None:
    roles = {name for name, resource in RESOURCES.items() if resource["Type"] == "AWS::IAM::Role"}
    assert roles == {
        *FUNCTIONS.values(),
        *MACHINES.values(),
        "EndpointRole",
        "TrainingRole",
        "EndpointDeletionRole",
        "IncomingRole",
    }


# Actions without resource-level permissions: https://docs.aws.amazon.com/service-authorization/latest/reference/
WITHOUT_RESOURCE = {
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    *(f"xray:{name}" for name in ("GetSamplingRules", "GetSamplingTargets", "PutTelemetryRecords", "PutTraceSegments")),
    *(f"logs:{verb}LogDelivery" for verb in ("Create", "Get", "Update", "Delete")),
    *(
        f"logs:{name}"
        for name in ("ListLogDeliveries", "PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups")
    ),
}


def test_wildcards_are_used_only_for_actions_without_resources() -> None:
    documents = [policy["PolicyDocument"] for r in RESOURCES.values() for policy in r["Properties"].get("Policies", [])]
    documents += [
        r["Properties"]["PolicyDocument"] for r in RESOURCES.values() if r["Type"] == "AWS::IAM::ManagedPolicy"
    ]
    stated = [statement for document in documents for statement in document["Statement"]]
    anywhere = {action for s in stated if s["Resource"] == "*" for action in listed(s["Action"])}
    assert anywhere == WITHOUT_RESOURCE
    assert not [action for s in stated for action in listed(s["Action"]) if "*" in action]


def test_traced_and_logged_resources_may_send_traces_and_logs() -> None:
    for kind, policies in {"Function": ["TracePolicy"], "StateMachine": ["TracePolicy", "WorkflowLogPolicy"]}.items():
        for properties in (r["Properties"] for r in RESOURCES.values() if r["Type"].endswith(f"::{kind}")):
            role = RESOURCES[target(properties.get("Role") or properties["RoleArn"])]
            assert [target(arn) for arn in role["Properties"]["ManagedPolicyArns"]] == policies
