"""`scones bootstrap`."""

from typing import Annotated

import typer

from core.named_values import parse_named_values
from orchestration.stack import DeploymentOptions
from scones import console
from scones.context import CommandContext
from scones.errors import TargetNeedsNoBootstrap
from scones.options import BoundaryOption, TagOption, boundary_parameter, with_context
from scones.settings import Target
from scones.stack_deployment import deploy_bootstrap


@with_context("target", "yes", "as_json")
def bootstrap(
    context: CommandContext,
    github: Annotated[
        str | None,
        typer.Option("--github", metavar="OWNER/NAME", help="Repository whose workflows may deploy, by OIDC."),
    ] = None,
    github_provider: Annotated[
        str | None,
        typer.Option("--github-provider", metavar="ARN", help="GitHub's OIDC provider, if the account has one."),
    ] = None,
    tag: TagOption = None,
    permissions_boundary: BoundaryOption = None,
) -> None:
    """Create the bootstrap stack: artifact bucket, ECR repositories, optional GitHub role.

    An AWS account needs it once in each region: the bucket for templates, the repositories for the container images
    and, with --github, a role for a repository's workflows. `scones deploy` creates it, after confirmation, if it is
    missing.

    Example: `scones bootstrap --target aws --github my-company/scones`
    """
    if context.settings.target is not Target.AWS:
        raise TargetNeedsNoBootstrap(context.settings.target)
    parameters = {"GitHubRepository": github, "GitHubProviderArn": github_provider}
    deployment = deploy_bootstrap(
        context,
        {name: value for name, value in parameters.items() if value is not None}
        | boundary_parameter(permissions_boundary),
        DeploymentOptions(tags=parse_named_values(tag or ())),
    )
    if not deployment.changes:
        console.note("nothing to change: the bootstrap stack is up to date")
    context.print_values(deployment.outputs)
