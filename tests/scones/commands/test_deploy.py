"""What `scones deploy` does next to the stack itself, which tests/integration drives."""

import json

import pytest

from orchestration.errors import InvalidEndpointName, RevisionMissing
from scones.errors import InvalidSetting
from tests.scones.conftest import Cli
from tests.scones.fake_cloudformation import CHANGE, CloudFormation
from tests.scones.fake_session import FakeSession
from tests.scones.fakes import S3, Ecr, Sns

FUNCTIONS = ("serialize", "classify", "filter")


def session_of(cloudformation: CloudFormation) -> FakeSession:
    return FakeSession(cloudformation=cloudformation, s3=S3(), ecr=Ecr(), sns=Sns())


@pytest.fixture
def session() -> FakeSession:
    return session_of(CloudFormation())


def parameters(session: FakeSession) -> dict[str, str]:
    """The parameters of the change set that are not as before."""
    request = session.sent["cloudformation.create_change_set"]["Parameters"]
    return {each["ParameterKey"]: each["ParameterValue"] for each in request if "ParameterValue" in each}


def test_on_aws_the_stack_gets_every_image_by_digest(session: FakeSession, cli: Cli) -> None:
    result = cli("deploy", "--target", "aws", "--yes", "--architecture", "arm64", "--json", session=session)
    assert result.exit_code == 0, result.output
    uris = {f"{name.capitalize()}ImageUri": f"ecr/scones/{name}@{Ecr.DIGEST}" for name in FUNCTIONS}
    assert parameters(session).items() >= {
        "Architecture": "arm64", "InferenceRepository": "scones/inference", **uris
    }.items()  # fmt: skip
    printed = json.loads(result.stdout)
    assert (printed["changed"], printed["changes"][0]["resource"]) == (True, "FilterFunction")
    assert printed["images"]["filter"] == f"ecr/scones/filter@{Ecr.DIGEST}"


def test_images_are_built_for_the_architecture_that_the_stack_has(cli: Cli) -> None:
    tags = []
    for architecture in ("x86_64", "arm64"):
        cloudformation = CloudFormation()
        cloudformation.current["Architecture"] = architecture
        session = session_of(cloudformation)
        assert cli("deploy", "--target", "aws", "--yes", session=session).exit_code == 0
        tags.append(session.sent["ecr.describe_images"]["imageIds"][0]["imageTag"])
        assert "Architecture" not in parameters(session)
    assert tags[0] != tags[1]


def test_cloudformation_acts_with_the_role_that_is_named(session: FakeSession, cli: Cli) -> None:
    role = "arn:aws:iam::000000000000:role/deployment"
    assert cli("deploy", "--target", "aws", "--yes", "--role-arn", role, session=session).exit_code == 0
    assert session.sent["cloudformation.create_change_set"]["RoleARN"] == role


def test_what_will_be_replaced_is_shown(cli: Cli) -> None:
    session = session_of(CloudFormation(changes=({**CHANGE, "Replacement": "True"},)))
    assert "FilterFunction  replaced by a new one" in cli("deploy", session=session).stderr


def test_locally_no_image_is_pushed(session: FakeSession, cli: Cli) -> None:
    assert cli("deploy", "--threshold", "0.9", session=session).exit_code == 0
    assert not [name for name in session.requests if name.startswith("ecr.")]
    assert parameters(session)["Threshold"] == "0.9"


def test_any_parameter_of_the_template_can_be_set(session: FakeSession, cli: Cli) -> None:
    words = ["--parameter", "WorkflowType=EXPRESS", "--parameter", "AlarmEmail=a@b.c?x=y"]
    assert cli("deploy", *words, session=session).exit_code == 0
    assert parameters(session).items() >= {"WorkflowType": "EXPRESS", "AlarmEmail": "a@b.c?x=y"}.items()


def test_a_parameter_that_is_not_name_and_value_is_refused(session: FakeSession, cli: Cli) -> None:
    assert "is not NAME=VALUE" in str(cli("deploy", "--parameter", "WorkflowType", session=session).exception)
    assert not session.requests


def test_the_changes_are_shown_and_none_is_made_without_a_yes(session: FakeSession, cli: Cli) -> None:
    result = cli("deploy", "--target", "aws", session=session, answer="n\n")
    assert result.exit_code == 1
    assert "FilterFunction" in result.stderr
    assert session.in_order("cloudformation.execute_change_set", "cloudformation.delete_change_set") == [
        "cloudformation.delete_change_set"
    ]


def test_no_change_says_so_and_is_no_error(cli: Cli) -> None:
    result = cli("deploy", "--json", session=session_of(CloudFormation(changes=())))
    assert result.exit_code == 0
    assert "nothing to change" in result.stderr
    assert json.loads(result.stdout)["changed"] is False


@pytest.mark.parametrize("words", [["--stack", "s" * 36], ["--parameter", "EndpointName=V"]])
def test_names_are_checked_before_anything_is_built(words: list[str], session: FakeSession, cli: Cli) -> None:
    result = cli("deploy", "--target", "aws", "--yes", *words, session=session)
    assert isinstance(result.exception, InvalidSetting | InvalidEndpointName)
    assert not session.requests


def test_the_first_deployment_bootstraps_the_account_after_a_yes(cli: Cli) -> None:
    session = session_of(CloudFormation(exists=False, bootstrapped=False))
    result = cli("deploy", "--target", "aws", session=session, answer="y\ny\n")
    assert result.exit_code == 0, (result.output, result.exception)
    assert session.requests["cloudformation.execute_change_set"] == 2
    refused = session_of(CloudFormation(exists=False, bootstrapped=False))
    assert cli("deploy", "--target", "aws", session=refused, answer="n\n").exit_code == 1
    assert "cloudformation.execute_change_set" not in refused.requests
    assert not [name for name in refused.requests if name.startswith("ecr.")]


def test_tags_and_a_permissions_boundary_reach_the_stack(session: FakeSession, cli: Cli) -> None:
    boundary = "arn:aws:iam::000000000000:policy/boundary"
    words = ["--tag", "CostCenter=42", "--tag", "Owner=vision", "--permissions-boundary", boundary]
    assert cli("deploy", "--target", "aws", "--yes", *words, session=session).exit_code == 0
    sent = session.sent["cloudformation.create_change_set"]
    assert sent["Tags"] == [{"Key": "CostCenter", "Value": "42"}, {"Key": "Owner", "Value": "vision"}]
    assert parameters(session)["PermissionsBoundary"] == boundary


@pytest.mark.parametrize(
    ("option", "enabled"), [("--termination-protection", True), ("--no-termination-protection", False)]
)
def test_termination_protection_is_set_and_otherwise_left(option: str, enabled: bool, cli: Cli) -> None:
    session = session_of(CloudFormation(changes=()))
    assert cli("deploy", "--target", "aws", "--yes", session=session).exit_code == 0
    assert "cloudformation.update_termination_protection" not in session.requests
    assert cli("deploy", "--target", "aws", "--yes", option, session=session).exit_code == 0
    assert session.sent["cloudformation.update_termination_protection"]["EnableTerminationProtection"] is enabled


def test_an_address_that_has_not_been_confirmed_is_named(session: FakeSession, cli: Cli) -> None:
    result = cli("deploy", "--target", "aws", "--yes", session=session)
    assert "ops@example.com receives no alarm yet: confirm the subscription" in result.stderr


def test_a_difference_is_shown_and_nothing_is_changed(session: FakeSession, cli: Cli) -> None:
    result = cli("deploy", "--diff", "--threshold", "0.9", session=session)
    assert result.exit_code == 0, (result.output, result.exception)
    assert "FilterFunction" in result.stderr
    assert "Threshold: 0.94 -> 0.9" in result.stdout
    assert "+    Type: AWS::S3::Bucket" in result.stdout
    assert not {"cloudformation.execute_change_set", "ecr.get_authorization_token"} & set(session.requests)


def test_a_rollback_deploys_the_parameters_before_the_last_change(cli: Cli) -> None:
    cloudformation = CloudFormation()
    session = session_of(cloudformation)
    assert cli("deploy", "--threshold", "0.9", session=session).exit_code == 0
    cloudformation.current = {"Threshold": "0.9"}
    assert cli("rollback", session=session).exit_code == 0
    assert parameters(session) == {"Threshold": "0.94"}


def test_without_an_earlier_deployment_there_is_nothing_to_roll_back_to(session: FakeSession, cli: Cli) -> None:
    assert isinstance(cli("rollback", session=session).exception, RevisionMissing)
