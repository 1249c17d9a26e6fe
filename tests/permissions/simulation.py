"""What IAM would say to requests, by a simulator that knows AWS's actions, resources and conditions.

https://www.npmjs.com/package/@cloud-copilot/iam-simulate
"""

import json
import subprocess
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import node_packages
from tests.permissions.iam_requests import Request
from tests.permissions.policies import Stack

PROGRAM = Path(__file__).with_name("simulate.mjs")


@dataclass(frozen=True)
class Simulated:
    """A role's or policy's requests and what is in it.

    ``refused`` has the requests that IAM refuses, each with its verdict; ``unused_actions`` the actions that allow none
    of the requests, ``unused_resources`` the resources of statements with other actions, on which none is made.
    """

    refused: Mapping[Request, str]
    unused_actions: frozenset[str]
    unused_resources: frozenset[str]


def simulated(stack: Stack, principals: Mapping[str, Collection[Request]]) -> dict[str, Simulated]:
    """Simulate the requests of each principal of a stack."""
    policies = {name: stack.policies(name) for name in principals}
    asked = {name: sorted(requests, key=str) for name, requests in principals.items()}
    principal = stack.where.arn("iam", "role/principal")
    results = _run([_group(stack, principal, asked[name], policies=policies[name]) for name in principals])
    return {
        name: _summary(policies[name], asked[name], answers) for name, answers in zip(principals, results, strict=True)
    }


def verdict_of_resource(stack: Stack, resource: str, principal: str, request: Request) -> str:
    """Return what the policy of a resource alone says to a request of a service or role."""
    ((answer,),) = _run([_group(stack, principal, [request], resourcePolicy=stack.resource_policy(resource))])
    return str(answer["verdict"])


def _group(stack: Stack, principal: str, requests: Iterable[Request], **policies: Any) -> dict[str, Any]:
    return {
        "account": stack.where.account,
        "principal": principal,
        "policies": [],
        "requests": [each.json for each in requests],
        **policies,
    }


def _run(groups: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    command = ["node", str(PROGRAM), str(node_packages.installed())]
    done = subprocess.run(command, input=json.dumps(groups), capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    results: list[list[dict[str, Any]]] = json.loads(done.stdout)
    return results


def _summary(policies: list[dict[str, Any]], asked: list[Request], results: list[dict[str, Any]]) -> Simulated:
    refused = {
        request: result["verdict"]
        for request, result in zip(asked, results, strict=True)
        if result["verdict"] != "Allowed"
    }
    grants = [grant for result in results for grant in result.get("grants", [])]
    actions = {action for grant in grants for action in grant["actions"]}
    allowing = [each for policy in policies for each in policy["policy"]["Statement"] if each["Effect"] == "Allow"]
    used = [statement for statement in allowing if _listed([statement], "Action") & actions]
    return Simulated(
        refused,
        _listed(allowing, "Action") - actions,
        _listed(used, "Resource") - {name for grant in grants for name in grant["resources"]},
    )


def _listed(statements: Iterable[dict[str, Any]], member: str) -> frozenset[str]:
    values = [each[member] for each in statements]
    return frozenset(one for value in values for one in (value if isinstance(value, list) else [value]))
