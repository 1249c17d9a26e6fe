"""Options that some commands share, declared once; ``context`` has those of nearly all."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from training.recipes import RECIPES

ThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--threshold", min=0.5, max=1, help="Minimum confidence to accept, for these images [default: the stack's]."
    ),
]
SyntheticOption = Annotated[
    bool, typer.Option("--synthetic", help="Use rendered vehicles even if CIFAR-100 is available.")
]
RoleOption = Annotated[
    str | None,
    typer.Option("--role", metavar="ARN", help="IAM role [default: the stack's, which has no VPC or KMS permissions]."),
]
SubnetOption = Annotated[list[str] | None, typer.Option("--subnet", help="Subnet of a VPC to run in; repeatable.")]
SecurityGroupOption = Annotated[
    list[str] | None, typer.Option("--security-group", help="Security group, required with --subnet; repeatable.")
]
RecipeOption = Annotated[str, typer.Option("--recipe", help=f"One of {', '.join(RECIPES)}.")]
HyperparameterOption = Annotated[
    list[str] | None,
    typer.Option("--hyperparameter", metavar="NAME=VALUE", help="Override a hyperparameter of the recipe; repeatable."),
]
DatasetOption = Annotated[
    str | None,
    typer.Option("--dataset", help="Staged dataset [default: cifar100 if it is staged, otherwise the first]."),
]
TrainingInstanceOption = Annotated[
    str | None, typer.Option("--instance-type", help="Instance type [default: ml.g5.xlarge].")
]
ArchitectureOption = Annotated[
    Literal["x86_64", "arm64"],
    typer.Option(
        "--architecture",
        help="Architecture of the functions. Building for another architecture than this machine's is slow.",
    ),
]
SinceOption = Annotated[
    str | None, typer.Option("--since", help="Time range up to now: 90s, 30m, 24h, 7d [default: 24h].", metavar="SPAN")
]
FromOption = Annotated[
    str | None, typer.Option("--from", help="Start of the time range, ISO 8601; UTC without an offset.", metavar="TIME")
]
ToOption = Annotated[
    str | None, typer.Option("--to", help="End of the time range, ISO 8601 [default: now].", metavar="TIME")
]
EndpointOption = Annotated[
    str | None, typer.Option("--endpoint", help="Endpoint [default: the stack's].", metavar="NAME")
]
BaselineOption = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        help="Baseline file [default: baseline.json next to the endpoint's model]; `scones baseline` creates one.",
    ),
]

TagOption = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="NAME=VALUE", help="Tag of the stack and all its resources; repeatable."),
]
BoundaryOption = Annotated[
    str | None,
    typer.Option("--permissions-boundary", metavar="ARN", help="Policy that bounds the permissions of every role."),
]


def require_vpc_pair(subnets: list[str] | None, security_groups: list[str] | None) -> None:
    """Refuse subnets without security groups and the reverse. Raises BadParameter."""
    if bool(subnets) != bool(security_groups):
        raise typer.BadParameter("--subnet and --security-group must be used together")


def boundary_parameter(policy_arn: str | None) -> dict[str, str]:
    """Return the template's parameter for --permissions-boundary."""
    return {} if policy_arn is None else {"PermissionsBoundary": policy_arn}
