"""Every IAM policy of the two templates before parliament, which knows AWS's actions, resources and conditions."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.permissions.policies import Where, stacks

pytest.importorskip("cfnlint", reason="the environment `template` has the linters")

ACCEPTED = {
    # A Distributed Map's items are described as executions, also where they are EXPRESS.
    ("ClassifyBatchRole run-states", "RESOURCE_MISMATCH"),
    # lambda:GetFunctionScalingConfig and s3:GetBucketAbac are newer than its list; the simulator's has them.
    ("DeploymentRole create-resources", "UNKNOWN_ACTION"),
    ("bounded", "UNKNOWN_ACTION"),
}


def documents(conditions: frozenset[str]) -> dict[str, Any]:
    """Return every policy of the two templates by its role and name."""
    where = Where("123456789012", "eu-central-1")
    boundary = where.arn("iam", "policy/boundary")
    parameters = {"EndpointName": "endpoint", "ImageBucket": "images", "PermissionsBoundary": boundary}
    return {
        f"{principal} {policy['name']}": policy["policy"]
        for stack in stacks(where, conditions, **parameters)
        for principal in stack.principals()
        for policy in stack.policies(principal)
    }


ANALYSIS = """
import json, parliament, sys
analysed = {name: parliament.analyze_policy_string(json.dumps(policy)) for name, policy in json.load(sys.stdin).items()}
print(json.dumps({name: sorted({finding.issue for finding in policy.findings}) for name, policy in analysed.items()}))
"""
MISSPELT = {"Effect": "Allow", "Action": "sqs:SendMesage", "Resource": "arn:aws:sqs:eu-central-1:123456789012:q"}


@pytest.fixture(scope="module")
def findings() -> dict[str, list[str]]:
    """The issues of each policy, and of one with a planted fault; parliament takes long to start."""
    bounded = documents(frozenset({"HasPermissionsBoundary"}))
    analysed = {**documents(frozenset()), "bounded": bounded["DeploymentRole create-resources"]}
    analysed["planted"] = {"Version": "2012-10-17", "Statement": [MISSPELT]}
    command = [sys.executable, "-W", "ignore", "-c", ANALYSIS]
    done = subprocess.run(command, input=json.dumps(analysed), capture_output=True, text=True, timeout=600, check=True)
    result: dict[str, list[str]] = json.loads(done.stdout)
    return result


def test_parliament_finds_nothing_that_is_not_accepted(findings: dict[str, list[str]]) -> None:
    found = {(name, issue) for name, issues in findings.items() for issue in issues if name != "planted"}
    assert found == ACCEPTED
    assert len(findings) > 12


def test_parliament_finds_an_action_that_aws_does_not_have(findings: dict[str, list[str]]) -> None:
    assert findings["planted"] == ["UNKNOWN_ACTION"]
