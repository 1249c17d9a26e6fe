"""Runs commands in forks of one interpreter, so that what they import, and AWS's service models, are read once.

Each command is a process of its own with its own output and exit code, which begins as the CLI does and ends as an
interpreter does. ``python -m tests.cli_server`` reads one JSON list a line: the files for standard output and standard
error, then the words of the command. It writes one line with the exit code of each.
"""

import functools
import json
import os
import sys
from contextlib import suppress
from typing import NoReturn

import botocore.loaders

from emulation.session import LocalSession
from scones import cli
from training.sagemaker_sdk import load_sdk

_GROUPS = ("endpoint", "images")
_WITH_SDK = ("demo", "endpoint", "train")
_SERVICES = ("cloudformation", "cloudwatch", "logs", "s3", "sagemaker", "sqs", "stepfunctions")


def main() -> None:
    """Fork for each line of standard input until that ends."""
    botocore.loaders.create_loader = functools.cache(botocore.loaders.create_loader)
    session = LocalSession("http://localhost", "http://localhost")
    for service in _SERVICES:
        session.client(service)
    for line in sys.stdin:
        stdout, stderr, *words = json.loads(line)
        _import_command(words)
        child = os.fork()
        if child == 0:
            _run(stdout, stderr, words)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _import_command(words: list[str]) -> None:
    depth = 2 if words[0] in _GROUPS else 1
    with suppress(ImportError):  # a command that does not exist: the fork says so
        cli.load(*words[:depth])
    if words[0] in _WITH_SDK:
        load_sdk()


def _run(stdout: str, stderr: str, words: list[str]) -> NoReturn:
    for descriptor, path in enumerate((os.devnull, stdout, stderr)):
        opened = os.open(path, os.O_RDONLY if descriptor == 0 else os.O_WRONLY)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.argv = ["scones", *words]
    cli.main()
    sys.exit()


if __name__ == "__main__":
    main()
