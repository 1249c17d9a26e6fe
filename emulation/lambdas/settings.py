"""Settings of a handler's process, from its environment."""

import os

CHANNEL_VARIABLE = "SCONES_LAMBDA_CHANNEL"
HANDLER_VARIABLE = "_HANDLER"


def take_channel() -> int:
    """Return the descriptor of the socket to the host, and remove it from what grandchildren inherit."""
    return int(os.environ.pop(CHANNEL_VARIABLE))


def handler_name() -> str:
    """Return ``module.function``."""
    return os.environ[HANDLER_VARIABLE]
