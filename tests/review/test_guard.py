import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from review.guard import COOKIE, Guard, is_loopback
from tests.review.asgi_client import AsgiClient

HOME = "http://127.0.0.1:8090"


def client(token: str | None = None, hosts: frozenset[str] = frozenset(), url: str = HOME) -> AsgiClient:
    def respond(_request: Request) -> Response:
        return PlainTextResponse("passed")

    app = Starlette(routes=[Route("/", respond, methods=["GET", "POST"])])
    return AsgiClient(Guard(app, hosts, token), base_url=url)


@pytest.mark.parametrize("url", [HOME, "http://localhost:1", "http://[::1]:8090"])
def test_loopback_passes_and_is_told_to_load_nothing_from_elsewhere(url: str) -> None:
    response = client(url=url).get("/")
    assert response.text == "passed"
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("url", ["http://evil.example:8090", "http://127.0.0.1.evil.example", "http://10.0.0.1"])
def test_other_host_names_are_refused(url: str) -> None:
    assert client(url=url).get("/").status_code == 403


def test_a_host_name_that_is_configured_passes() -> None:
    assert client(hosts=frozenset({"review.example"}), url="https://review.example").get("/").text == "passed"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"content-type": "text/plain"},
        {"content-type": "multipart/form-data; boundary=x"},
    ],
)
def test_what_another_sites_page_can_send_is_refused(headers: dict[str, str]) -> None:
    response = client().post("/", content="{}", headers={"content-type": "application/json"} | headers)
    assert response.status_code == 403


def test_the_pages_own_requests_pass() -> None:
    headers = {"origin": HOME, "sec-fetch-site": "same-origin"}
    assert client().post("/", json={}, headers=headers).text == "passed"


def test_a_link_from_another_page_may_open_the_page_and_nothing_else() -> None:
    navigation = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client().get("/", headers=navigation).text == "passed"
    assert client().post("/", json={}, headers=navigation).status_code == 403


def test_a_token_is_taken_once_from_the_url_and_then_from_a_cookie() -> None:
    reviewer = client(token="secret")
    assert reviewer.get("/").status_code == 401
    assert reviewer.get("/?token=wrong").status_code == 401
    response = reviewer.get("/?token=secret")
    assert (response.status_code, response.headers["location"]) == (303, "/")
    assert "HttpOnly" in response.headers["set-cookie"]
    assert "SameSite=strict" in response.headers["set-cookie"]
    assert reviewer.get("/").text == "passed"
    stranger = client(token="secret")
    assert stranger.get("/", headers={"cookie": f"{COOKIE}=wrong"}).status_code == 401


@pytest.mark.parametrize(("host", "own"), [("127.0.0.1", True), ("::1", True), ("10.0.0.1", False), ("example", False)])
def test_loopback_is_recognised(host: str, own: bool) -> None:
    assert is_loopback(host) is own
