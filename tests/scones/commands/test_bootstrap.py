"""What `scones bootstrap` asks CloudFormation for."""

import json

from scones.errors import TargetNeedsNoBootstrap
from tests.scones.conftest import Cli
from tests.scones.fake_cloudformation import CloudFormation
from tests.scones.fake_session import FakeSession


def test_an_account_is_bootstrapped_by_a_template_that_needs_no_bucket(cli: Cli) -> None:
    session = FakeSession(cloudformation=CloudFormation(bootstrapped=False))
    result = cli("bootstrap", "--target", "aws", "--yes", "--json", session=session)
    assert result.exit_code == 0, (result.output, result.exception)
    request = session.sent["cloudformation.create_change_set"]
    assert (request["StackName"], request["ChangeSetType"]) == ("scones-bootstrap", "CREATE")
    assert "TemplateURL" not in request
    assert json.loads(result.stdout) == {"ArtifactBucket": "artifacts"}


def test_a_github_repository_becomes_a_parameter(cli: Cli) -> None:
    session = FakeSession(cloudformation=CloudFormation())
    result = cli("bootstrap", "--target", "aws", "--yes", "--github", "my-company/scones", session=session)
    assert result.exit_code == 0, (result.output, result.exception)
    parameters = session.sent["cloudformation.create_change_set"]["Parameters"]
    assert {"ParameterKey": "GitHubRepository", "ParameterValue": "my-company/scones"} in parameters


def test_it_asks_first(cli: Cli) -> None:
    session = FakeSession(cloudformation=CloudFormation(bootstrapped=False))
    assert cli("bootstrap", "--target", "aws", session=session, answer="n\n").exit_code == 1
    assert "cloudformation.execute_change_set" not in session.requests


def test_the_local_environment_needs_none(cli: Cli) -> None:
    assert isinstance(cli("bootstrap", session=FakeSession()).exception, TargetNeedsNoBootstrap)
