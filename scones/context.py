"""What one invocation of a command works with: its settings, a session and the stack's outputs, each created once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
import botocore.session
import typer
from botocore.config import Config
from botocore.exceptions import ProxyConnectionError

from core.defaults import REGION
from emulation.processes.background import status
from emulation.session import LocalSession
from orchestration.errors import StackNotFound
from orchestration.stack_outputs import StackOutputs, read_stack_outputs
from scones import console
from scones.errors import RegionDiffers, WebPageReturned
from scones.settings import Settings, Target

OpenSession = Callable[[Settings], boto3.Session]

# AWS throttles each operation by a token bucket; adaptive retries also slow down the requests that follow.
RETRIES = Config(retries={"mode": "adaptive", "total_max_attempts": 10})
ADVISORY = Config(connect_timeout=4, read_timeout=8, retries={"mode": "standard", "total_max_attempts": 3})
"""For requests that only advise, such as prices and quotas: if they are blocked, a command soon continues."""

_NEW_ROLE_ATTEMPTS, _NEW_ROLE_SECONDS = 10, 3.0


def open_session(settings: Settings) -> boto3.Session:
    """Return the session from which a command's clients come.

    For the local target its clients call what `scones up` started in this home, otherwise the URLs of the settings,
    where `docker compose up` listens. Raises RegionDiffers.
    """
    if settings.target is Target.AWS:
        return aws_session(settings)
    running = status(settings.home).state
    if running is None:
        return LocalSession(settings.localstack_url, settings.sagemaker_url, settings.local_region)
    if settings.region not in {None, running.region}:
        raise RegionDiffers(running.region, str(settings.region))
    return LocalSession(running.localstack_url, running.sagemaker_url, running.region)


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


def aws_session(settings: Settings) -> boto3.Session:
    """Return a session of the AWS account, in the region that the environment, otherwise the profile, names."""
    client_defaults = botocore.session.get_session()
    client_defaults.set_default_client_config(RETRIES)
    client_defaults.register("needs-retry", retry_new_role)
    client_defaults.register("needs-retry", retry_proxy_once)
    client_defaults.register("after-call", refuse_web_page)
    region = settings.region or client_defaults.get_config_variable("region") or REGION
    return boto3.Session(botocore_session=client_defaults, region_name=region)


def retry_proxy_once(attempts: int, caught_exception: Exception | None, **_: Any) -> None:
    """Raise at the second failure of a proxy, which refuses at the tenth, too. An event handler of botocore's."""
    if isinstance(caught_exception, ProxyConnectionError) and attempts > 1:
        raise caught_exception


def refuse_web_page(http_response: Any, **_: Any) -> None:
    """Raise WebPageReturned if a proxy returns a page instead of AWS's response. An event handler of botocore's."""
    is_page = http_response.headers.get("Content-Type", "").startswith("text/html")
    if http_response.status_code >= 300 and is_page:
        raise WebPageReturned(http_response.url, http_response.status_code)


def retry_new_role(response: Any, attempts: int, **_: Any) -> float | None:
    """Return after how many seconds to repeat a request that names a role which no service can assume yet.

    IAM is eventually consistent: that takes some seconds after a stack has created the role. An event handler of
    botocore's, which decides itself where this returns None.
    """
    error = response[1].get("Error", {}) if response else {}
    is_new_role = error.get("Code", "").startswith("Validation") and "assume" in error.get("Message", "")
    return _NEW_ROLE_SECONDS if is_new_role and attempts < _NEW_ROLE_ATTEMPTS else None
