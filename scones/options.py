"""The options that commands share, declared once, and `with_context`, which adds those of nearly all to a command."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from scones.context import CommandContext, open_session
from scones.settings import Settings, Target, bypass_proxies, valid_stack
from training.recipes import RECIPES

_SHARED: dict[str, tuple[Any, Any]] = {
    "archive": (
        Annotated[
            Path | None,
            typer.Option(
                "--archive",
                help="Path of the CIFAR-100 archive [env: SCONES_CIFAR100; default: the cache, otherwise a download].",
            ),
        ],
        None,
    ),
    "target": (
        Annotated[
            Target | None,
            typer.Option("--target", help="Local environment or AWS [env: SCONES_TARGET; default: local]."),
        ],
        None,
    ),
    "stack": (
        Annotated[
            str | None,
            typer.Option(
                "--stack",
                help="CloudFormation stack; its resources' names begin with it [env: SCONES_STACK; default: scones].",
            ),
        ],
        None,
    ),
    "home": (
        Annotated[
            Path | None,
            typer.Option(
                "--home",
                help="State directory: logs and staged data [env: SCONES_HOME; default: .scones in the checkout].",
            ),
        ],
        None,
    ),
    "yes": (
        Annotated[bool, typer.Option("--yes", "-y", help="Skip the confirmation.")],
        False,
    ),
    "as_json": (Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")], False),
}

Shared = Literal["archive", "target", "stack", "home", "yes", "as_json"]


def with_context(*shared: Shared, local: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the ``shared`` options to a command, which receives their values as a CommandContext, its first argument.

    ``local`` is for commands that act on this machine whatever SCONES_TARGET says.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
        context_parameter = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        added = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name, (annotation, default) in _SHARED.items()
            if name in shared
        ]
        parameters = [context_parameter, *(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own), *added]

        def invoke(ctx: typer.Context, **values: Any) -> None:
            shared_values: dict[str, Any] = {name: values.pop(name) for name in shared}
            settings = _settings(shared_values, local=local)
            bypass_proxies(settings)
            context = CommandContext(
                settings,
                as_json=shared_values.get("as_json", False),
                yes=shared_values.get("yes", False),
                open_session=ctx.obj or open_session,
            )
            command(context, **values)

        invoke.__name__, invoke.__doc__, invoke.__module__ = command.__name__, command.__doc__, command.__module__
        invoke.__annotations__ = {each.name: each.annotation for each in parameters}
        invoke.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return invoke

    return decorate


def _settings(shared_values: dict[str, Any], *, local: bool) -> Settings:
    """Return the environment's settings; options of the command line take precedence."""
    settings = Settings.from_environment()
    target = Target.LOCAL if local else shared_values.get("target") or settings.target
    stack, home, archive = (shared_values.get(name) for name in ("stack", "home", "archive"))
    return replace(
        settings,
        target=target,
        stack=settings.stack if stack is None else valid_stack(stack, "--stack"),
        home=home.absolute() if home else settings.home,
        archive=archive.expanduser().absolute() if archive else settings.archive,
    )


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
