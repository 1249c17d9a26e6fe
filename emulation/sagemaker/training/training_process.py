"""A training program as a child process: its output line by line, its time limit, its end."""

import asyncio
import contextlib
import enum
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from emulation.processes import process_group_wrapper
from emulation.processes.parent_watcher import ParentPipe
from emulation.sagemaker.training.training_program import Program
from emulation.settings import ROOT

_CHUNK = 64 * 1024
_MAX_LINE = 64 * 1024
_LAST_WORDS_SECONDS = 10.0


class End(enum.Enum):
    """Why a program is not running any more."""

    EXITED = "exited"
    STOPPED = "stopped"
    TIMED_OUT = "timed out"


@dataclass(frozen=True)
class ProgramExit:
    """How a program ended; ``status`` is a shell's, 128 and the signal where one ended it."""

    end: End
    status: int


async def run(
    program: Program,
    parent_pipe: ParentPipe,
    take: Callable[[str], None],
    *,
    stop: asyncio.Event,
    seconds: float,
    grace: float,
) -> ProgramExit:
    """Run the program to its end, or until ``stop`` is set or ``seconds`` are over: SIGTERM, SIGKILL after ``grace``.

    ``take`` gets every line of its output. It ends with this process, and with the task that runs this. Raises OSError.
    """
    search_path = f"PYTHONPATH={program.environment.get('PYTHONPATH', '')}"
    process = await asyncio.create_subprocess_exec(
        *[
            sys.executable,
            "-P",
            "-m",
            process_group_wrapper.__name__,
            "env",
            search_path,
            *program.command,
        ],
        cwd=program.directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**program.environment, "PYTHONPATH": str(ROOT), **parent_pipe.environment},
        pass_fds=parent_pipe.pass_fds,
    )
    reading = asyncio.create_task(_read(process, take))
    ended, stopping = asyncio.create_task(process.wait()), asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({ended, stopping}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        end = End.EXITED if ended in done else End.STOPPED if stopping in done else End.TIMED_OUT
        if end is not End.EXITED:
            _signal(process, signal.SIGUSR1)
            await asyncio.wait({ended}, timeout=grace)
    finally:
        stopping.cancel()
        _signal(process, signal.SIGTERM)
        await ended
        await asyncio.wait({reading}, timeout=_LAST_WORDS_SECONDS)  # what the program left behind may hold the pipe
        reading.cancel()
        await asyncio.gather(reading, stopping, return_exceptions=True)
    status = ended.result()
    return ProgramExit(end, status if status >= 0 else 128 - status)


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)


async def _read(process: asyncio.subprocess.Process, take: Callable[[str], None]) -> None:
    """Hand out whole lines, and the pieces of those that are too long."""
    assert process.stdout is not None  # noqa: S101 - narrows the type
    rest = b""
    while chunk := await process.stdout.read(_CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > _MAX_LINE:
            lines, rest = [*lines, rest], b""
        for line in lines:
            take(line.decode(errors="replace").rstrip("\r"))
    if rest:
        take(rest.decode(errors="replace"))
