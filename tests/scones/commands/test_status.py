"""`scones status --target aws`; of the local environment see tests/scones/test_cli.py."""

import json
from typing import Any

import pytest

from scones.commands.status import NOT_RUNNING
from tests.scones.conftest import Cli
from tests.scones.fake_cloudformation import CloudFormation
from tests.scones.fake_session import FakeSession
from tests.scones.fakes import Sns


class Subscriptions(Sns):
    """A topic with a page of one confirmed address, and a page of one that is not."""

    def list_subscriptions_by_topic(self, NextToken: str = "", **_: str) -> dict[str, Any]:  # noqa: N803
        if NextToken:
            return super().list_subscriptions_by_topic()
        arn = "arn:aws:sns:us-east-1:000000000000:alarms:1"
        confirmed = {"SubscriptionArn": arn, "Protocol": "email", "Endpoint": "team@example.com"}
        return {"Subscriptions": [confirmed], "NextToken": "second"}


def test_addresses_without_confirmation_are_named(cli: Cli) -> None:
    session = FakeSession(cloudformation=CloudFormation(), sns=Subscriptions())
    shown = cli("status", "--target", "aws", session=session)
    assert shown.exit_code == 0
    assert "UPDATE_COMPLETE" in shown.stdout
    assert "team@example.com" in shown.stdout
    assert "ops@example.com receives no alarm yet: confirm the subscription" in shown.stderr
    printed = json.loads(cli("status", "--target", "aws", "--json", session=session).stdout)
    assert printed["alarm_addresses"] == {"team@example.com": True, "ops@example.com": False}


def test_without_a_stack_the_exit_code_is_that_of_nothing_running(cli: Cli) -> None:
    session = FakeSession(cloudformation=CloudFormation(exists=False))
    shown = cli("status", "--target", "aws", session=session)
    assert (shown.exit_code, "there is no stack scones" in shown.stderr) == (NOT_RUNNING, True)


@pytest.mark.parametrize("outputs", [{}, {"AlarmTopicArn": "arn:aws:sns:us-east-1:000000000000:alarms"}])
def test_a_stack_that_has_failed_is_an_error(outputs: dict[str, str], cli: Cli) -> None:
    cloudformation = CloudFormation()
    cloudformation.status, cloudformation.outputs = "ROLLBACK_FAILED", outputs
    shown = cli("status", "--target", "aws", session=FakeSession(cloudformation=cloudformation, sns=Sns()))
    assert (shown.exit_code, "ROLLBACK_FAILED" in shown.stdout) == (1, True)
