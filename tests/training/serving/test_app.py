"""The application inside this process, with classifiers written for the occasion."""

import asyncio
import base64
import json
import logging
import threading
from collections.abc import AsyncIterator, MutableMapping
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from training.serving.app import WorkerLimits, create_app
from training.serving.json_logs import JsonFormatter
from training.serving.model import load

PNG = {"Content-Type": "image/png"}


class Fixed:
    """Answers the same for everything."""

    def classify(self, _: bytes, /) -> list[float]:
        return [0.25, 0.75]


class Broken:
    """Fails as no request can make it fail."""

    def classify(self, _: bytes, /) -> list[float]:
        raise RuntimeError("secret of the house")


class Gate:
    """Answers once it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()

    def classify(self, _: bytes, /) -> list[float]:
        assert self.opened.wait(600)
        return [1.0, 0.0]


def client(classifier: Fixed | Broken | Gate, limits: WorkerLimits | None = None) -> httpx.AsyncClient:
    app = create_app(classifier, limits) if limits else create_app(classifier)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server")


async def trickle(chunks: int, size: int, pause: float = 0) -> AsyncIterator[bytes]:
    for _ in range(chunks):
        await asyncio.sleep(pause)
        yield bytes(size)


async def post(
    classifier: Fixed | Broken | Gate,
    content: bytes | AsyncIterator[bytes] = b"x",
    limits: WorkerLimits | None = None,
) -> httpx.Response:
    async with client(classifier, limits) as session:
        return await session.post("/invocations", content=content, headers=PNG)


@pytest.mark.parametrize(("probability", "told"), [(0.74, "true"), (0.26, "true"), (0.75, "false"), (0.05, "false")])
def test_a_network_that_knows_neither_tells_in_a_header_whether_it_probably_sees_it(
    probability: float, told: str
) -> None:
    class Sure(Fixed):
        def classify(self, _: bytes, /) -> list[float]:
            return [probability, 1 - probability]

    async def posted(*, knows_neither: bool) -> httpx.Response:
        app = create_app(Sure(), knows_neither=knows_neither)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as session:
            return await session.post("/invocations", content=b"x", headers=PNG)

    header = "x-amzn-sagemaker-custom-attributes"
    assert asyncio.run(posted(knows_neither=True)).headers[header] == f"probably-neither={told}"
    assert header not in asyncio.run(posted(knows_neither=False)).headers


def test_a_body_that_declares_to_be_too_long_is_not_read() -> None:
    response = asyncio.run(post(Fixed(), bytes(11), WorkerLimits(body_bytes=10)))
    assert response.status_code == 413
    assert response.json()["error"] == "BodyTooLarge"
    assert "11 bytes, the limit is 10 bytes" in response.json()["message"]
    assert asyncio.run(post(Fixed(), bytes(10), WorkerLimits(body_bytes=10))).status_code == 200


def test_a_body_of_undeclared_length_is_given_up_as_soon_as_it_is_too_long() -> None:
    received: list[int] = []
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        received.append(100)
        return {"type": "http.request", "body": bytes(100), "more_body": len(received) < 1000}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/invocations",
        "query_string": b"",
        "headers": [(b"content-type", b"image/png"), (b"transfer-encoding", b"chunked")],
    }
    asyncio.run(create_app(Fixed(), WorkerLimits(body_bytes=250))(scope, receive, send))
    assert sent[0]["status"] == 413
    assert len(received) == 3


def test_a_body_that_does_not_arrive_is_given_up() -> None:
    response = asyncio.run(post(Fixed(), trickle(50, 1, pause=0.05), WorkerLimits(body_seconds=0.1)))
    assert response.status_code == 408
    assert response.json()["error"] == "BodyTimeout"


def test_a_caller_who_goes_away_is_logged_and_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(_: MutableMapping[str, Any]) -> None:
        pass

    headers = [(b"content-type", b"image/png")]
    scope = {"type": "http", "method": "POST", "path": "/invocations", "query_string": b"", "headers": headers}
    with caplog.at_level(logging.INFO):
        asyncio.run(create_app(Fixed())(scope, receive, send))
    assert [record.__dict__["fields"]["error"] for record in caplog.records] == ["ClientDisconnect"]


def test_a_failure_answers_500_and_its_trace_is_in_the_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    response = asyncio.run(post(Broken()))
    assert response.status_code == 500
    assert response.json()["error"] == "InternalFailure"
    assert "secret" not in response.text
    assert "Traceback" not in response.text
    lines = [JsonFormatter().format(record) for record in caplog.records]
    assert "secret of the house" in json.loads(lines[0])["traceback"]
    assert all("\n" not in line for line in lines)


def test_a_server_with_its_hands_full_says_so_and_still_answers_pings() -> None:
    async def crowd() -> tuple[list[int], httpx.Response, httpx.Response]:
        gate = Gate()
        async with client(gate, WorkerLimits(requests=3)) as session:
            under_way = [asyncio.create_task(session.post("/invocations", content=b"x", headers=PNG)) for _ in range(3)]
            await asyncio.sleep(0.1)
            refused = await session.post("/invocations", content=b"x", headers=PNG)
            ping = await session.get("/ping")
            gate.opened.set()
            return [(await task).status_code for task in under_way], refused, ping

    answered, refused, ping = asyncio.run(crowd())
    assert answered == [200, 200, 200]
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "1"
    assert refused.json()["error"] == "ServerBusy"
    assert ping.status_code == 200


def test_a_prediction_that_takes_too_long_is_given_up() -> None:
    gate = Gate()
    response = asyncio.run(post(gate, limits=WorkerLimits(inference_seconds=0.1)))
    gate.opened.set()
    assert (response.status_code, response.json()["error"]) == (504, "InferenceTimeout")
    assert "no prediction after 0.1 s" in response.json()["message"]


def test_requests_that_are_over_make_room_for_others() -> None:
    async def one_after_another() -> set[int]:
        async with client(Broken(), WorkerLimits(requests=1)) as session:
            return {(await session.post("/invocations", content=b"x", headers=PNG)).status_code for _ in range(5)}

    assert asyncio.run(one_after_another()) == {500}


def test_the_log_tells_of_each_request_in_one_line_without_the_image(
    caplog: pytest.LogCaptureFixture, model_dir: Path
) -> None:
    buffer = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    noise = Image.fromarray(buffer).tobytes()

    async def ask(content: bytes) -> None:
        app = create_app(load(model_dir))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as session:
            await session.post("/invocations", content=content, headers=PNG)

    with caplog.at_level(logging.INFO, logger="training"):
        asyncio.run(ask(noise))
    (record,) = [record for record in caplog.records if record.name.startswith("training")]
    line = JsonFormatter().format(record)
    fields = json.loads(line)
    assert fields["event"] == "invocation"
    assert fields["status"] == 400
    assert fields["error"] == "UnsupportedImage"
    assert fields["bytes"] == len(noise)
    assert fields["ms"] > 0
    assert base64.b64encode(noise[:24]).decode() not in line
    assert noise[8:24].hex(" ") not in line
    assert len(line) < 500


@pytest.mark.parametrize("header", ["Content-Type", "Accept"])
def test_an_endless_header_is_neither_sent_back_nor_logged_in_full(
    header: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def ask() -> httpx.Response:
        async with client(Fixed()) as session:
            return await session.post("/invocations", content=b"x", headers=PNG | {header: "a" * 50_000})

    with caplog.at_level(logging.INFO, logger="training"):
        assert len(asyncio.run(ask()).content) < 400
    assert all(len(JsonFormatter().format(record)) < 800 for record in caplog.records)


@settings(max_examples=100, deadline=None)
@given(content_type=st.text(max_size=40), accept=st.text(max_size=40))
def test_no_header_makes_the_server_fail(content_type: str, accept: str) -> None:
    async def ask() -> int:
        headers = {b"Content-Type": content_type.encode(), b"Accept": accept.encode()}
        async with client(Fixed()) as session:
            return (await session.post("/invocations", content=b"x", headers=headers)).status_code

    assert asyncio.run(ask()) in {200, 406, 415}
