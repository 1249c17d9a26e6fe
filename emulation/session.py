"""A boto3 session whose clients talk to the emulators, so that the same code runs here and on AWS."""

import os
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from core.defaults import REGION

SAGEMAKER_ENDPOINT_VARIABLES = {
    "sagemaker": "AWS_ENDPOINT_URL_SAGEMAKER",
    "sagemaker-runtime": "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME",
    "application-autoscaling": "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING",
    "scheduler": "AWS_ENDPOINT_URL_SCHEDULER",
}
"""The services that the SageMaker emulator serves, each with the variable that directs AWS clients to it."""


class LocalSession(boto3.Session):  # type: ignore[misc]  # boto3 has no types
    """Sends SageMaker, and what scales and ends its endpoints, to ``sagemaker_url``, all else to ``localstack_url``."""

    def __init__(self, localstack_url: str, sagemaker_url: str, region: str = REGION) -> None:
        super().__init__(
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106
            region_name=region,
            botocore_session=_session_without_profile(),
        )
        self.localstack_url = localstack_url
        self.sagemaker_url = sagemaker_url

    def client(self, service_name: str, *args: Any, **kwargs: Any) -> Any:
        """Return a client as ``boto3.Session.client`` does, bound to the emulator of its service."""
        kwargs.setdefault(
            "endpoint_url", self.sagemaker_url if service_name in SAGEMAKER_ENDPOINT_VARIABLES else self.localstack_url
        )
        # No host but this one: neither a bucket's name nor a prefix such as StartSyncExecution's goes before it.
        # And never a proxy: it could not reach this machine's loopback.
        one_host = Config(s3={"addressing_style": "path"}, inject_host_prefix=False, proxies={})
        kwargs["config"] = one_host.merge(kwargs["config"]) if kwargs.get("config") else one_host
        return super().client(service_name, *args, **kwargs)


def _session_without_profile() -> botocore.session.Session:
    """Return a session that reads neither AWS_PROFILE nor AWS's files, which may be damaged or name no such profile."""
    session = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    for variable in ("config_file", "credentials_file"):
        session.set_config_variable(variable, os.devnull)
    session.register("needs-retry", _retry_refused_once)
    return session


def _retry_refused_once(attempts: int, caught_exception: Exception | None, **_: Any) -> None:
    """Raise when a connection is refused again: nothing listens there. An event handler of botocore's."""
    if isinstance(caught_exception, EndpointConnectionError) and attempts > 1:
        raise caught_exception
