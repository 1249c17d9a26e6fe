"""The environment that child processes inherit; with the settings modules of lambdas and of the LocalStack plugin, all
that the emulation reads of it.
"""

import os


def inherited_environment() -> dict[str, str]:
    """Return this process's environment."""
    return dict(os.environ)
