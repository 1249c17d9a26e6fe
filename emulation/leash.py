"""``python -m emulation.leash PROGRAM ARGUMENT…``: ends a program that knows of no lifeline with its parent."""

import os
import signal
import subprocess
import sys
from types import FrameType

from emulation.lifeline import watch


def main() -> int:
    """Run the program in a session of its own; end all of it when told to stop or when the parent is gone."""
    watch()
    program = subprocess.Popen(sys.argv[1:], start_new_session=True)

    def end(number: int, _frame: FrameType | None) -> None:
        os.killpg(program.pid, signal.SIGKILL)
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    return program.wait()


if __name__ == "__main__":
    sys.exit(main())
