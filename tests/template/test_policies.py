"""Every IAM policy of the two templates before parliament, which knows AWS's actions, resources and conditions."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from orchestration import bootstrap
from orchestration.package import TEMPLATE
from tests.contracts.rendered import load

pytest.importorskip("cfnlint", reason="the environment `template` has the linters")

RESOURCES = {
    name: resource
    for template in (TEMPLATE, bootstrap.TEMPLATE)
    for name, resource in load(template.read_text("utf-8"))["Resources"].items()
}
HERE = "eu-central-1:123456789012"
ARNS = {
    "AWS::ECR::Repository": f"arn:aws:ecr:{HERE}:repository/r",
    "AWS::IAM::Role": "arn:aws:iam::123456789012:role/r",
    "AWS::Lambda::Function": f"arn:aws:lambda:{HERE}:function:f",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{HERE}:log-group:g:*",
    "AWS::S3::Bucket": "arn:aws:s3:::b",
    "AWS::SQS::Queue": f"arn:aws:sqs:{HERE}:q",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{HERE}:stateMachine:m",
}
PSEUDO_PARAMETERS = {"AWS::Partition": "aws", "AWS::Region": "eu-central-1", "AWS::AccountId": "123456789012"}
ACCEPTED = {
    # A Distributed Map's items are described as executions, also where they are EXPRESS.
    ("ClassifyBatchRole", "RESOURCE_MISMATCH"),
    # CloudFormation may do everything about the kinds of resources in the template, and S3 has many that it has not.
    ("DeploymentRole", "RESOURCE_MISMATCH"),
    ("DeploymentRole", "RESOURCE_STAR"),
}


def policies() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in RESOURCES.items():
        for policy in resource["Properties"].get("Policies", []):
            yield name, policy["PolicyDocument"]
        if resource["Type"] in {"AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"}:
            yield name, resource["Properties"]["PolicyDocument"]


def resolved(value: Any) -> Any:
    """Return a part of a policy as CloudFormation would: intrinsic functions by what they return."""
    if isinstance(value, list):
        return [resolved(each) for each in value]
    if isinstance(value, dict) and set(value) <= {"GetAtt", "Ref", "Sub"}:
        ((function, argument),) = value.items()
        return _substituted(argument if function == "Sub" else f"${{{argument}}}")
    return {key: resolved(each) for key, each in value.items()} if isinstance(value, dict) else value


def _substituted(text: str) -> str:
    def replacement(match: re.Match[str]) -> str:
        name = match[1].removesuffix(".Arn")
        kind = RESOURCES[name]["Type"] if name in RESOURCES else ""
        return PSEUDO_PARAMETERS.get(name) or ARNS.get(kind, "x")

    return re.sub(r"\$\{([\w.:]+)\}", replacement, text)


ANALYSIS = """
import json, parliament, sys
analysed = {name: parliament.analyze_policy_string(json.dumps(policy)) for name, policy in json.load(sys.stdin).items()}
print(json.dumps({name: sorted({finding.issue for finding in policy.findings}) for name, policy in analysed.items()}))
"""
MISSPELT = {"Effect": "Allow", "Action": "sqs:SendMesage", "Resource": ARNS["AWS::SQS::Queue"]}


@pytest.fixture(scope="module")
def findings() -> dict[str, list[str]]:
    """The issues of each policy, and of one with a planted fault; parliament takes long to start."""
    documents = {name: resolved(policy) for name, policy in policies()}
    documents["planted"] = {"Version": "2012-10-17", "Statement": [MISSPELT]}
    command = [sys.executable, "-W", "ignore", "-c", ANALYSIS]
    done = subprocess.run(command, input=json.dumps(documents), capture_output=True, text=True, timeout=600, check=True)
    result: dict[str, list[str]] = json.loads(done.stdout)
    return result


def test_parliament_finds_nothing_that_is_not_accepted(findings: dict[str, list[str]]) -> None:
    found = {(name, issue) for name, issues in findings.items() for issue in issues if name != "planted"}
    assert found == ACCEPTED
    assert len(findings) > 12


def test_parliament_finds_an_action_that_aws_does_not_have(findings: dict[str, list[str]]) -> None:
    assert findings["planted"] == ["UNKNOWN_ACTION"]
