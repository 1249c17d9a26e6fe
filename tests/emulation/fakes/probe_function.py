"""A Lambda handler that does what the event's ``do`` says; tests install it as a service's ``handler.py``."""

import decimal
import os
import pathlib
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

IMPORTED_WITH = os.environ.get("THRESHOLD")
INVOCATIONS: list[str] = []


class ThresholdConfidenceNotMet(Exception):
    pass


class ImageNotFound(Exception):
    pass


def handler(event: Any, context: Any) -> Any:
    INVOCATIONS.append(context.aws_request_id)
    act = ACTS.get(event.get("do", "")) if isinstance(event, dict) else None
    return act(event, context) if act else {"got": event}


def fail(event: Any, context: Any) -> Any:
    raise ThresholdConfidenceNotMet(event.get("message", "0.51 is below 0.94: é"))


def chain(event: Any, context: Any) -> Any:
    try:
        raise KeyError("inner")
    except KeyError as error:
        raise ImageNotFound("outer") from error


def sleep(event: Any, context: Any) -> Any:
    time.sleep(event["seconds"])
    return "slept"


def last(event: Any, context: Any) -> Any:
    pathlib.Path(event["begun"]).touch()
    while not pathlib.Path(event["end"]).exists():
        time.sleep(0.01)
    return "ended"


def quit_process(event: Any, context: Any) -> Any:
    os._exit(event["status"])


def stop_by_signal(event: Any, context: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(5)


def describe(event: Any, context: Any) -> Any:
    return {
        "function_name": context.function_name,
        "memory_limit_in_mb": context.memory_limit_in_mb,
        "remaining": context.get_remaining_time_in_millis(),
        "request_id": context.aws_request_id,
    }


ACTS: dict[str, Callable[[Any, Any], Any]] = {
    "echo": lambda event, _: event,
    "fail": fail,
    "chain": chain,
    "nothing": lambda *_: None,
    "bare": lambda *_: (_ for _ in ()).throw(RuntimeError),
    "nan": lambda *_: {"value": float("nan"), "large": float("inf")},
    "bytes": lambda *_: {"image_data": b"abc"},
    "not-text": lambda *_: {"image_data": b"\xff\xfe"},
    "raw-bytes": lambda *_: b'{"raw": true}',
    "set": lambda *_: {1},
    "object": lambda *_: object,
    "decimal": lambda *_: {"value": decimal.Decimal("1.50")},
    "circular": lambda event, _: event.setdefault("self", event),
    "pair-keys": lambda *_: {(1, 2): 3},
    "text": lambda *_: "żółw é 🚲",
    "sleep": sleep,
    "last": last,
    "quit": quit_process,
    "exit": lambda event, _: sys.exit(event["status"]),
    "signal": stop_by_signal,
    "count": lambda *_: len(INVOCATIONS),
    "large": lambda event, _: "x" * event["size"],
    "describe": describe,
    "process": lambda *_: os.getpid(),
    "variable": lambda event, _: {"now": os.environ.get(event["variable"]), "at_import": IMPORTED_WITH},
    "print": lambda event, _: print(event["line"]),
    "paths": lambda *_: {"cwd": os.getcwd(), "first": sys.path[0]},  # noqa: PTH109 - what the handler sees
}
