"""The real server over HTTP."""

import io
import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

Encode = Callable[..., bytes]
Scene = Callable[..., Image.Image]
PNG = {"content-type": "image/png"}


def ask(client: httpx.Client, content: bytes | Iterator[bytes], **headers: str) -> httpx.Response:
    return client.post(
        "/invocations", content=content, headers=PNG | {k.replace("_", "-"): v for k, v in headers.items()}
    )


def test_ping_answers_200(client: httpx.Client) -> None:
    assert client.get("/ping").status_code == 200


@pytest.mark.parametrize("content_type", ["image/png", "Image/PNG; name=a", "application/x-image", "image/jpeg"])
def test_an_image_gets_two_probabilities(client: httpx.Client, red: bytes, content_type: str) -> None:
    response = ask(client, red, content_type=content_type)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    bicycle, motorcycle = response.json()
    assert bicycle > 0.94
    assert bicycle + motorcycle == pytest.approx(1)


def test_json_lines_hold_the_same_probabilities(client: httpx.Client, blue: bytes) -> None:
    response = ask(client, blue, accept="application/jsonlines")
    assert response.headers["Content-Type"] == "application/jsonlines"
    assert response.json() == {"prediction": ask(client, blue, accept="*/*").json()}


def test_a_body_without_declared_length_is_read(client: httpx.Client, red: bytes) -> None:
    chunks = (red[start : start + 10] for start in range(0, len(red), 10))
    assert ask(client, chunks).json() == ask(client, red).json()


def test_a_photograph_is_classified(client: httpx.Client, scene: Scene, encode: Encode) -> None:
    assert ask(client, encode(scene(4000, 3000), "JPEG"), content_type="image/jpeg").status_code == 200


@pytest.mark.parametrize(
    ("content", "headers", "status", "error"),
    [
        (b"", {}, 400, "EmptyImage"),
        (b"a text file named .png", {}, 400, "UnsupportedImage"),
        (b"red", {"content_type": "text/plain"}, 415, "UnsupportedMediaType"),
        (b"red", {"content_type": "application/octet-stream"}, 415, "UnsupportedMediaType"),
        (b"red", {"accept": "text/csv"}, 406, "NotAcceptable"),
        (bytes(6 * 1024 * 1024 + 1), {}, 413, "BodyTooLarge"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_reason(
    client: httpx.Client, content: bytes, headers: dict[str, str], status: int, error: str
) -> None:
    response = ask(client, content, **headers)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/json"
    assert response.json()["error"] == error
    assert len(response.json()["message"]) > 20


def test_a_truncated_image_is_refused(client: httpx.Client, red: bytes) -> None:
    response = ask(client, red[:-30])
    assert (response.status_code, response.json()["error"]) == (400, "BrokenImage")


def test_a_bomb_is_refused_as_too_large(client: httpx.Client, encode: Encode) -> None:
    bomb = encode(Image.new("1", (20_000, 10_000)))
    assert len(bomb) < 40_000
    response = ask(client, bomb)
    assert (response.status_code, response.json()["error"]) == (413, "ImageTooLarge")


def test_an_endless_body_is_refused_while_it_is_being_sent(client: httpx.Client) -> None:
    response = ask(client, (bytes(65536) for _ in range(200)))
    assert (response.status_code, response.json()["error"]) == (413, "BodyTooLarge")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("GET", "/invocations", 405), ("POST", "/ping", 405), ("GET", "/../etc/passwd", 404)],
)
def test_other_routes_are_refused_as_json(client: httpx.Client, method: str, path: str, status: int) -> None:
    response = client.request(method, path)
    assert response.status_code == status
    assert "POST /invocations" in response.json()["message"]


def test_sixteen_clients_get_two_hundred_predictions_each_for_its_own_image(
    client: httpx.Client, red: bytes, blue: bytes
) -> None:
    images = [red if number % 3 else blue for number in range(200)]
    with httpx.Client(base_url=client.base_url, timeout=600) as shared, ThreadPoolExecutor(16) as pool:
        responses = list(pool.map(lambda image: ask(shared, image), images))
    assert {response.status_code for response in responses} == {200}
    assert [response.json()[0] > 0.5 for response in responses] == [image is red for image in images]


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00" + bytes(100),
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Type: " + b"a" * 100_000 + b"\r\n\r\n",
    ],
)
def test_what_is_hardly_http_is_refused_and_the_server_lives_on(client: httpx.Client, sent: bytes) -> None:
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=600) as connection:
        connection.sendall(sent)
        assert connection.recv(10) == b"HTTP/1.1 4"
    assert client.get("/ping").status_code == 200


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=2000))
@example(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\xff" * 17)
@example(b"\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff\x03")
@example(b"GIF89a\xff\xff\xff\xff\xff\xff\xff,")
def test_arbitrary_bytes_never_make_the_server_fail(client: httpx.Client, content: bytes) -> None:
    response = ask(client, content)
    assert response.status_code in {400, 413}
    assert json.loads(response.text).keys() == {"error", "message"}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_image_never_makes_the_server_fail(client: httpx.Client, data: st.DataObject) -> None:
    damaged = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    assert ask(client, bytes(damaged)).status_code in {200, 400, 413}


def _seeds() -> list[bytes]:
    noise = Image.fromarray(np.random.default_rng(4).integers(0, 256, (12, 12, 3), dtype=np.uint8))
    files = []
    for kind in ("PNG", "JPEG", "GIF", "WEBP"):
        buffer = io.BytesIO()
        noise.save(buffer, kind)
        files.append(buffer.getvalue())
    return files


SEEDS = _seeds()
