"""Lines reach CloudWatch Logs once."""

import asyncio
import threading
from typing import Any
from unittest.mock import Mock

from emulation.sagemaker.log_stream import LogStream


def test_a_line_is_sent_once_although_who_waits_for_it_is_cancelled() -> None:
    begun, released = threading.Event(), threading.Event()
    sent: list[str] = []

    def put(logEvents: list[dict[str, Any]], **_: str) -> None:  # noqa: N803 - AWS's name
        begun.set()
        released.wait(600)
        sent.extend(event["message"] for event in logEvents)

    async def cancelled_while_sending() -> None:
        stream = LogStream(Mock(put_log_events=put), "group", "stream")
        stream.write("a line")
        first = asyncio.create_task(stream.flush())
        await asyncio.to_thread(begun.wait, 600)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        released.set()
        await stream.flush()

    asyncio.run(cancelled_while_sending())
    assert sent == ["a line"]
