"""Looks 20 times a second whether a stack's resource is ready.

LocalStack 4.14 looks five times at once and then once a second, while a function becomes active in some milliseconds: a
first deployment of three functions waited three of its seconds for that.
"""

from functools import partialmethod

from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor

_SECONDS = 0.05


def install() -> None:
    """Change the interval; the time after which LocalStack gives a resource up stays."""
    deploy_loop = ResourceProviderExecutor.deploy_loop
    ResourceProviderExecutor.deploy_loop = partialmethod(deploy_loop, sleep_time=_SECONDS)
