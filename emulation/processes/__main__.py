"""``python -m emulation.processes``: the process that ``background.start_background`` starts."""

import argparse
import json
import os
import signal
import sys
import threading
from types import FrameType

from emulation.errors import EmulationError
from emulation.processes.components import EnvironmentOptions
from emulation.processes.local_environment import LocalEnvironment


def main() -> int:
    """Leave the caller's session, start a local environment, report to the caller and supervise until SIGTERM."""
    options = _options()
    if os.fork():
        os._exit(0)
    os.setsid()
    signal.signal(signal.SIGTERM, _interrupt)
    threading.Thread(target=_end_unless_released, args=(options.release_fd,), name="release", daemon=True).start()
    chosen = EnvironmentOptions.from_json(options.options)
    environment = LocalEnvironment(chosen, lambda line: print(line, flush=True))
    try:
        return _run(environment, options.report_fd)
    finally:
        environment.stop()


def _run(environment: LocalEnvironment, report_fd: int) -> int:
    try:
        state = environment.start()
    except EmulationError as error:
        _report(report_fd, {"error": str(error)})
        print(error, flush=True)
        return 1
    _report(report_fd, {"state": state.to_json()})
    try:
        environment.supervise()
    except EmulationError as error:
        print(error, flush=True)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m emulation.processes", description="Run a local environment in the background."
    )
    parser.add_argument(
        "--report-fd", type=int, required=True, help="receives the outcome of the start as a JSON object"
    )
    parser.add_argument(
        "--release-fd", type=int, required=True, help="written to when the caller has the report, closed when it dies"
    )
    parser.add_argument("options", help="the environment's options as a JSON object")
    return parser.parse_args()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _end_unless_released(descriptor: int) -> None:
    if not os.read(descriptor, 1):
        os.kill(os.getpid(), signal.SIGTERM)


def _report(descriptor: int, outcome: dict[str, str]) -> None:
    with os.fdopen(descriptor, "w") as report:
        json.dump(outcome, report)


if __name__ == "__main__":
    sys.exit(main())
