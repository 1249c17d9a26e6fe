"""What one invocation of a command works with: its settings, a session and the stack's outputs, each created once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
import typer

from orchestration.errors import StackNotFound
from scones import console
from scones.sessions import open_session
from scones.settings import Settings, Target
from scones.stack_outputs import StackOutputs, read_stack_outputs

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
        return read_stack_outputs(self.session, self.settings)

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
