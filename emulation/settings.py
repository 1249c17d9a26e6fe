"""The environment that child processes inherit; with the settings modules of lambdas and of the LocalStack plugin, all
that the emulation reads of it.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The folder of our packages, for child processes that import them."""


def inherited_environment() -> dict[str, str]:
    """Return this process's environment."""
    return dict(os.environ)
