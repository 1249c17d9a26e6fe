"""Reads each of botocore's data files once.

Every session has its own loader, which reads the endpoints of all AWS regions (0.1 s) and the model of each
service again; LocalStack 4.14 makes a session for its clients and one wherever it lists regions.
"""

from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader


def install() -> None:
    """Let all loaders share what was read; botocore shares it between the clients of a session already."""
    read = JSONFileLoader.load_file

    @cache
    def load(path: str) -> Any:
        return read(JSONFileLoader(), path)

    JSONFileLoader.load_file = lambda _loader, file_path: load(file_path)
