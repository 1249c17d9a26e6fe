"""``python -m emulation.processes.process_group_wrapper PROGRAM ARGUMENT…``: ends any program with its parent.

For programs that do not watch their parent themselves.
"""

import os
import signal
import subprocess
import sys
import threading
from types import FrameType

from emulation.processes.parent_watcher import watch

_POLL_SECONDS = 0.2


def main() -> int:
    """Run the program in its own session; end all of it on SIGTERM or SIGINT or when the parent is gone.

    SIGTERM and SIGINT end it at once. SIGUSR1 is passed on as SIGTERM, for the program to end in its own time.
    """
    asked = threading.Event()
    signal.signal(signal.SIGUSR1, lambda _number, _frame: asked.set())
    watch()
    program = subprocess.Popen(sys.argv[1:], start_new_session=True)

    def end(number: int, _frame: FrameType | None) -> None:
        os.killpg(program.pid, signal.SIGKILL)
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    while True:
        try:
            return program.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            if asked.is_set():
                asked.clear()
                os.killpg(program.pid, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
