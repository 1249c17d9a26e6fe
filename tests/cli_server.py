"""Runs commands in forks of one interpreter, so that what they import, and AWS's service models, are read once.

Each command is a process of its own with its own output and exit code. ``python -m tests.cli_server`` reads one JSON
list a line: the files for standard output and standard error, then the words of the command. It writes one line with
the exit code of each.
"""

import functools
import gc
import json
import multiprocessing
import os
import sys
from contextlib import suppress

import botocore.loaders

from emulation.session import LocalSession
from scones import cli
from training.sagemaker_sdk import load_sdk

_GROUPS = ("endpoint", "images")
_WITH_SDK = ("demo", "endpoint", "train")
_SERVICES = ("cloudformation", "cloudwatch", "logs", "s3", "sagemaker", "sqs", "stepfunctions")


def main() -> None:
    """Fork for each line of standard input until that ends."""
    read_models_once()
    session = LocalSession("http://localhost", "http://localhost")
    for service in _SERVICES:
        session.client(service)
    for line in sys.stdin:
        stdout, stderr, *words = json.loads(line)
        _import_command(words)
        gc.freeze()  # a fork shares the memory that it does not touch
        process = multiprocessing.get_context("fork").Process(target=_run, args=(stdout, stderr, words))
        process.start()
        process.join()
        print(process.exitcode, flush=True)


def read_models_once() -> None:
    """Let all sessions of this process share the models of AWS's services."""
    botocore.loaders.create_loader = functools.cache(botocore.loaders.create_loader)


def _import_command(words: list[str]) -> None:
    depth = 2 if words[0] in _GROUPS else 1
    with suppress(ImportError):  # a command that does not exist: the fork says so
        cli.load(*words[:depth])
    if words[0] in _WITH_SDK:
        load_sdk()


def _run(stdout: str, stderr: str, words: list[str]) -> None:
    for descriptor, path in enumerate((stdout, stderr), start=1):
        opened = os.open(path, os.O_WRONLY)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.argv = ["scones", *words]
    cli.main()


if __name__ == "__main__":
    main()
