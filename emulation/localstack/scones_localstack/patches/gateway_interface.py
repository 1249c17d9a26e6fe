"""Listens on the interface that GATEWAY_LISTEN names.

LocalStack 4.14 takes only the port from it, and listens on every interface.
"""

from functools import partial

from localstack import config
from twisted.internet import endpoints


def install() -> None:
    """Let Twisted's endpoints listen on that interface."""
    endpoints.TCP4ServerEndpoint = partial(endpoints.TCP4ServerEndpoint, interface=config.GATEWAY_LISTEN[0].host)
