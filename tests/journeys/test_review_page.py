"""Two people label the review queue in browsers, while the server that they use is killed."""

import io
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from core.lst_files import parse_lst
from review.labelled_dataset import LISTING
from review.manifest import KEY
from tests.cli_runner import User
from tests.integration.local_deployment import LocalDeployment
from tests.ports import reserved_ports

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed"),
]
IMAGES = 200
HOSTILE = "review/<img src=x onerror=alert(1)>\u2028\u202e.png"
"""Where screenshots go that a person looks at; none are made without."""
SCREENSHOTS = os.environ.get("REVIEW_SCREENSHOTS")


class Server:
    """`scones review --serve` at its own port, to be killed and started again."""

    def __init__(self, deployment: LocalDeployment, port: int) -> None:
        settings = deployment.settings
        self.port = port
        self.url = f"http://127.0.0.1:{port}/"
        self._user = User(settings.home, {"SCONES_CACHE": str(settings.cache)})
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = self._user.start("review", "--serve", "--port", str(self.port), **options)
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            with suppress(httpx.HTTPError):
                if httpx.get(self.url, trust_env=False).is_success:
                    return
            assert self._process.poll() is None
            time.sleep(0.1)
        raise TimeoutError

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(600)


def wait_until(page: Any, condition: str) -> None:
    """Wait until an expression is true in the page, whose policy does not let Playwright poll it there."""
    while not page.evaluate(condition):
        page.wait_for_timeout(50)


@pytest.fixture
def server(deployment: LocalDeployment) -> Iterator[Server]:
    with reserved_ports(1) as (port,):
        running = Server(deployment, port)
        running.start()
        yield running
        running.kill()


@pytest.fixture
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def png(shade: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (32, 32), (shade % 256, shade // 256 * 60, 90)).save(content, "PNG")
    return content.getvalue()


@pytest.fixture(autouse=True)
def empty_queues(deployment: LocalDeployment) -> None:
    """Delete what earlier tests left in the queues."""
    for url in (deployment.outputs.review_queue_url, deployment.outputs.failure_queue_url):
        deployment.client("sqs").purge_queue(QueueUrl=url)


def fill(deployment: LocalDeployment, keys: list[str], *, probably_neither: bool | None = None) -> None:
    """Put images into the review queue, as the state machine does."""
    s3, sqs = deployment.client("s3"), deployment.client("sqs")
    for number, key in enumerate(keys):
        s3.put_object(Bucket=deployment.outputs.data_bucket, Key=key, Body=png(number))
        cause = {"errorMessage": "confidence 0.71 is below the threshold 0.94"}
        body = {
            "execution_arn": f"arn:{key}", "s3_bucket": deployment.outputs.data_bucket, "s3_key": key,
            "inferences": [0.71, 0.29], "probably_neither": probably_neither,
            "error": "ThresholdConfidenceNotMet", "cause": json.dumps(cause),
        }  # fmt: skip
        sqs.send_message(QueueUrl=deployment.outputs.review_queue_url, MessageBody=json.dumps(body))


def decisions(deployment: LocalDeployment) -> dict[str, str]:
    """The label of each image by its key; no image has two lines."""
    content = deployment.client("s3").get_object(Bucket=deployment.outputs.data_bucket, Key=KEY)["Body"].read()
    lines = [json.loads(line) for line in content.decode().splitlines()]
    labels = {line["source-ref"].split("/", 3)[3]: line["label-metadata"]["class-name"] for line in lines}
    assert len(labels) == len(lines)
    return labels


def shown(page: Any) -> str | None:
    """The key of the image that a page shows; None while it shows none."""
    if not page.locator("#item").is_visible():
        return None
    return str(page.locator("#uri").get_attribute("data-uri")).split("/", 3)[-1]


def right_label(key: str) -> str:
    return ("bicycle", "motorcycle", "neither")[int(key.rpartition("-")[2].partition(".")[0]) % 3]


def test_two_people_label_every_image_once_while_the_server_is_killed(
    deployment: LocalDeployment, server: Server, browser: Any
) -> None:
    keys = [f"review/image-{number}.png" for number in range(IMAGES)]
    fill(deployment, keys)
    pages = [browser.new_context().new_page() for _ in range(2)]
    for page in pages:
        page.goto(server.url)
    labelled, kills, deadline = set[str](), [60, 130], time.monotonic() + 600
    while len(labelled) < IMAGES and time.monotonic() < deadline:
        for page in pages:
            key = shown(page)
            if key is None or key in labelled:
                page.wait_for_timeout(20)
                continue
            page.keyboard.press({"bicycle": "b", "motorcycle": "m", "neither": "n"}[right_label(key)])
            labelled.add(key)
        if kills and len(labelled) >= kills[0]:
            kills.pop(0)
            server.kill()
            server.start()
    for page in pages:
        page.locator("#message").get_by_text("There is nothing to review").wait_for(timeout=600_000)
    result = {key: label for key, label in decisions(deployment).items() if key in keys}
    assert result == {key: right_label(key) for key in keys}
    listing = deployment.client("s3").get_object(Bucket=deployment.outputs.data_bucket, Key=LISTING)["Body"].read()
    entries = parse_lst(listing.decode(), "train.lst")
    assert len({entry.file for entry in entries}) == len(entries)
    assert deployment.queue_lengths()["review"] == 0
    assert kills == []


def test_every_action_has_a_key_and_a_label_can_be_taken_back(
    deployment: LocalDeployment, server: Server, browser: Any
) -> None:
    keys = [f"review/key-{number}.png" for number in range(3)]
    fill(deployment, keys)
    page = browser.new_context().new_page()
    page.goto(server.url)
    page.locator("#item").wait_for()
    first = shown(page)
    page.keyboard.press("b")
    page.get_by_text("Labelled bicycle.").wait_for()
    page.keyboard.press("u")
    page.get_by_text("The label was taken back.").wait_for()
    assert shown(page) == first
    assert first not in decisions(deployment)
    page.keyboard.press("m")
    page.get_by_text("Labelled motorcycle.").wait_for()
    page.keyboard.press(" ")
    page.get_by_text("Skipped.").wait_for()
    page.keyboard.press("n")
    page.get_by_text("Labelled neither.").wait_for()
    assert sorted(label for key, label in decisions(deployment).items() if key in keys) == ["motorcycle", "neither"]
    page.locator("#review-tab").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_text("The failure queue is empty.").wait_for()


def test_a_queue_of_500_images_is_counted_and_a_reload_goes_on_where_it_was(
    deployment: LocalDeployment, server: Server, browser: Any
) -> None:
    fill(deployment, [f"review/many-{number}.png" for number in range(500)], probably_neither=True)
    page = browser.new_context().new_page()
    page.goto(server.url)
    page.locator("#left", has_text="(500)").wait_for(timeout=600_000)
    page.get_by_text("Probably neither (bicycle 71.0 %, motorcycle 29.0 %)").wait_for()
    labelled = set[str | None]()
    for left in (499, 498, 497):
        labelled.add(shown(page))
        page.keyboard.press("n")
        page.locator("#left", has_text=f"({left})").wait_for()
    page.reload()
    page.locator("#left", has_text="(497)").wait_for()
    page.locator("#item").wait_for()
    assert shown(page) not in labelled


@pytest.mark.skipif("AXE_CORE" not in os.environ, reason="AXE_CORE does not name axe.min.js")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_accessible_and_no_key_becomes_markup(
    deployment: LocalDeployment, server: Server, browser: Any, width: int, scheme: str
) -> None:
    fill(deployment, [HOSTILE])
    failure = {
        "execution_arn": "arn:f",
        "error": "ImageNotFound",
        "cause": "there is no object",
        "input": {"s3_key": HOSTILE, "s3_bucket": "b"},
    }
    sqs, failures = deployment.client("sqs"), deployment.outputs.failure_queue_url
    sqs.send_message(QueueUrl=failures, MessageBody=json.dumps(failure))
    page = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme).new_page()
    problems: list[str] = []
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(server.url)
    page.locator("#item").wait_for()
    wait_until(page, "document.getElementById('image').naturalWidth > 0")
    assert shown(page) == HOSTILE
    assert "\\u2028\\u202e.png" in page.locator("#uri").text_content()
    assert violations(page) == []
    screenshot(page, f"review-{width}-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#failures-tab").click()
    page.locator("#failure-list li").first.wait_for()
    assert violations(page) == []
    screenshot(page, f"failures-{width}-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert problems == []
    page.close()
    for url in (failures, deployment.outputs.review_queue_url):
        sqs.purge_queue(QueueUrl=url)


def violations(page: Any) -> list[str]:
    """What axe-core finds: the rules of WCAG 2.2 A and AA, and best practices."""
    script = Path(os.environ["AXE_CORE"]).read_text("utf-8")
    page.evaluate(script)
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in page.evaluate("axe.run()")["violations"]]


def screenshot(page: Any, name: str) -> None:
    if SCREENSHOTS:
        Path(SCREENSHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{SCREENSHOTS}/{name}.png", full_page=True)
