"""A change of the stack is shown, made, and undone by one command."""

import json

import pytest

from tests.integration.local_deployment import LocalDeployment

pytestmark = pytest.mark.integration


def test_a_change_is_shown_made_and_rolled_back(deployment: LocalDeployment) -> None:
    user = deployment.user
    difference = json.loads(user.run("deploy", "--diff", "--threshold", "0.97", "--json").stdout)
    assert difference["parameters"] == {"Threshold": ["0.94", "0.97"]}
    assert difference["template"] == []
    assert json.loads(user.run("deploy", "--json").stdout)["outputs"]["Threshold"] == "0.94", "a difference was applied"
    try:
        assert json.loads(user.run("deploy", "--threshold", "0.97", "--json").stdout)["outputs"]["Threshold"] == "0.97"
    finally:
        rolled_back = user.run("rollback", "--json")
    assert rolled_back.returncode == 0, rolled_back.stderr
    assert json.loads(rolled_back.stdout)["Threshold"] == "0.94"
