"""boto3 sessions for the two targets."""

from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ProxyConnectionError

from core.defaults import REGION
from emulation.processes.background import status
from emulation.session import LocalSession
from scones.errors import WebPageReturned
from scones.settings import Settings, Target

# AWS throttles each operation by a token bucket; adaptive retries also slow down the requests that follow.
RETRIES = Config(retries={"mode": "adaptive", "total_max_attempts": 10})
ADVISORY = Config(connect_timeout=4, read_timeout=8, retries={"mode": "standard", "total_max_attempts": 3})
"""For requests that only advise, such as prices and quotas: if they are blocked, a command soon continues."""

_NEW_ROLE_ATTEMPTS, _NEW_ROLE_SECONDS = 10, 3.0


def open_session(settings: Settings) -> boto3.Session:
    """Return the session from which a command's clients come.

    For the local target its clients call what `scones up` started in this home, otherwise the URLs of the settings,
    where `docker compose up` listens.
    """
    if settings.target is Target.AWS:
        return aws_session(settings)
    running = status(settings.home).state
    if running is None:
        return LocalSession(settings.localstack_url, settings.sagemaker_url, settings.local_region)
    return LocalSession(running.localstack_url, running.sagemaker_url, settings.local_region)


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
