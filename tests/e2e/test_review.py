"""The review page's service, which `docker compose --profile review up` adds."""

import re
import time

import httpx
import pytest

from tests.e2e.compose import Project

pytestmark = pytest.mark.e2e
HANG_SECONDS = 600


def test_the_page_is_served_on_the_host_to_whoever_has_the_token_of_the_log(project: Project | None) -> None:
    if project is None:
        pytest.skip("inside the network there is no Docker engine")
    project.compose("--profile", "review", "up", "--detach", "review")
    deadline = time.monotonic() + HANG_SECONDS
    url = f"http://127.0.0.1:{project.review_port}/"
    logged = re.compile(re.escape(url) + r"\?token=[0-9a-f]+")
    while not (found := logged.search(project.compose("--profile", "review", "logs", "review"))):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    with httpx.Client(transport=httpx.HTTPTransport(retries=20), trust_env=False, follow_redirects=True) as client:
        assert client.get(url).status_code == 401
        assert "Image review" in client.get(found[0]).text
        assert client.get(f"{url}api/state").json()["left"] >= 0
