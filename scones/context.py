"""What one invocation of a command works with: its settings, a session and the stack's outputs, each created once.

The options that choose them are declared here once, and added to a command by `with_context`.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import boto3
import typer

from orchestration.errors import StackNotFound
from orchestration.stack_outputs import StackOutputs, read_stack_outputs
from scones import console
from scones.sessions import open_session
from scones.settings import Settings, Target, bypass_proxies, valid_stack

OpenSession = Callable[[Settings], boto3.Session]


@dataclass
class CommandContext:
    """Made once for an invocation. Tests pass their own ``open_session``."""

    settings: Settings
    as_json: bool = False
    yes: bool = False
    open_session: OpenSession = open_session

    @cached_property
    def session(self) -> boto3.Session:
        """The session from which every client of the command comes."""
        return self.open_session(self.settings)

    @cached_property
    def outputs(self) -> StackOutputs:
        """The stack's outputs, read when they are first needed. Raises StackNotFound."""
        return read_stack_outputs(self.client("cloudformation"), self.settings.stack)

    @cached_property
    def endpoint_name(self) -> str:
        """The endpoint's name: the stack's output, or without a stack the name that derives from the stack's."""
        try:
            return self.outputs.endpoint_name
        except StackNotFound:
            return self.settings.default_endpoint_name

    def client(self, service: str, **options: Any) -> Any:
        """Return a client of the session."""
        return self.session.client(service, **options)

    def print_values(self, values: Mapping[str, Any]) -> None:
        """Write the command's result to standard output: as JSON with ``--json``, otherwise as a table."""
        if self.as_json:
            console.print_json(dict(values))
        else:
            console.print_values(values)

    def confirm(self, question: str) -> None:
        """Ask before money is spent or data is lost on AWS; a local target costs nothing and loses nothing."""
        if self.settings.target is Target.AWS and not self.yes:
            typer.confirm(question, abort=True, err=True)


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
CLOUD: tuple[Shared, ...] = ("target", "stack", "home", "as_json")
"""The options of nearly every command that works on a stack."""


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
