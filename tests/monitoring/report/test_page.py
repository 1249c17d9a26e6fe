import io
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from monitoring.baseline import Baseline
from monitoring.capture import CaptureCounts
from monitoring.drift import compare
from monitoring.report import Content, ReportedImage
from monitoring.report.page import render, write
from monitoring.timeline import Timeline
from monitoring.window import InferenceWindow

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOSTILE = '<script>alert("1")</script>&\'".png'
VOID = {"meta", "img", "br", "input", "link", "hr"}


def png(colour: tuple[int, int, int]) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(out, "PNG")
    return out.getvalue()


@dataclass(frozen=True)
class Stay:
    name: str = "ClassifyImageData"
    milliseconds: float | None = 12.0
    input_bytes: int = 120
    output_bytes: int | None = 20_480
    retries: int = 0
    error: str | None = None
    message: str | None = None


IMAGES = [
    ReportedImage(
        "a.png",
        "accepted",
        (0.99, 0.01),
        0,
        png((9, 9, 200)),
        "run-0-a",
        400.0,
        states=[Stay(), Stay(error="EndpointTimeout")],
    ),
    ReportedImage("b.png", "review", (0.4, 0.6), 1, png((200, 9, 9)), "run-1-b", 500.0, "ThresholdConfidenceNotMet"),
    ReportedImage("c.png", "accepted", (0.03, 0.97), 0, png((9, 200, 9)), "run-2-c", 300.0),
    ReportedImage(HOSTILE, "failure", None, None, b"junk", "run-3-d", 90.0, "UnsupportedImage", HOSTILE),
]


def window(n: int) -> InferenceWindow:
    generator = np.random.default_rng(0)
    times = NOON.timestamp() - np.arange(n, dtype=np.float64)
    return InferenceWindow(times, generator.uniform(0.8, 1, n), generator.integers(0, 2, n).astype(np.int8))


def content(**changes: Any) -> Content:
    seen = window(60)
    quiet = Baseline.of_window(window(200), source="a quiet time")
    return replace(
        Content(
            title="A report",
            made=NOON,
            threshold=0.94,
            images=IMAGES,
            timeline=Timeline.of(seen, 0.94),
            drift=compare(seen, quiet, 0.94),
            settings={"stack": HOSTILE},
            versions={"numpy": "2"},
        ),
        **changes,
    )


class Page(HTMLParser):
    """Reads a page and fails where a tag is not closed, or closed that is not open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def attributes(self, *names: str) -> list[str]:
        return [attributes[name] for _, attributes in self.tags for name in names if name in attributes]


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(content(), tmp_path_factory.mktemp("report")).page.read_text("utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_page_needs_nothing_else(html: str, page: Page) -> None:
    assert "http:" not in html.replace("http-equiv", "")
    assert "https:" not in html
    assert "@import" not in html
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in page.attributes("src", "href"))
    assert all(address.startswith("#") for address in re.findall(r"url\(([^)]*)\)", html))


def test_every_link_leads_somewhere_and_no_id_is_there_twice(page: Page) -> None:
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    assert {address[1:] for address in page.attributes("href") if address.startswith("#")} <= set(ids)


def test_hostile_names_stay_text(html: str, page: Page) -> None:
    assert "<script" not in html
    assert page.text.count(HOSTILE) >= 3


def test_every_image_is_given_alternative_text(page: Page) -> None:
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    drawings = [attributes for _, attributes in page.tags if attributes.get("role") == "img"]
    assert len(images) == 3
    assert all(attributes["alt"] for attributes in images)
    assert len(drawings) == 6
    assert all(attributes["aria-label"] for attributes in drawings)


def test_an_execution_shows_its_states(page: Page) -> None:
    assert "execution-run-0-a" in page.attributes("id")
    assert "ClassifyImageData" in page.text
    assert "20 KiB" in page.text
    assert "EndpointTimeout" in page.text


def test_the_plots_are_beside_the_page(tmp_path: Path) -> None:
    written = write(content(), tmp_path)
    assert all(file.stat().st_size > 1000 for file in written.files)
    assert {file.name for file in tmp_path.iterdir()} == {written.page.name, *(file.name for file in written.files)}
    assert {"scatter.png", "scatter.svg", "confidence.png", "reliability.svg", "drift.png"} <= {
        file.name for file in written.files
    }


UNSURE = ReportedImage("u.png", "review", (0.6, 0.4), 0)
SURE = ReportedImage("s.png", "accepted", (0.99, 0.01), 0)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"images": [], "timeline": Timeline.of(window(0), 0.94)}, "No inference was captured in this time range."),
        ({"images": []}, "No image was classified in this time range."),
        (
            {"timeline": Timeline.empty(0.94, "endpoint x has no data capture"), "drift": None},
            "Endpoint x has no data capture.",
        ),
        ({"images": [SURE, SURE]}, "Every labelled image is a bicycle: the other class has no figures."),
        ({"images": [UNSURE, replace(UNSURE, label=1)]}, "No prediction reaches the threshold 0.94"),
        ({"images": [SURE]}, "One image is not enough for a conclusion"),
        ({"images": [replace(SURE, label=None)]}, "The true labels of these images are not known"),
        (
            {"notes": CaptureCounts(records=9, from_the_future=9, skew=90).sentences()},
            "9 records are dated up to 90 s in the future: this machine's clock and the endpoint's differ.",
        ),
        ({"drift": compare(window(1), None, 0.94)}, "There is no baseline to compare with"),
    ],
)
def test_what_there_is_little_of_is_stated_in_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    text = Page(render(content(**changes), {})).text
    assert sentence in text
    assert "nan" not in text


def test_images_for_review_and_failures_link_to_the_review_page() -> None:
    linked = Page(render(content(review_url="http://127.0.0.1:8090/"), {}))
    addresses = [address for address in linked.attributes("href") if not address.startswith("#")]
    assert addresses == ["http://127.0.0.1:8090/", "http://127.0.0.1:8090/#failures"]
