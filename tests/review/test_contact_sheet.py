import json
import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from core.labels import VEHICLES
from core.s3_uris import S3Uri
from review.contact_sheet import Card, render

THUMBNAIL = "data:image/png;base64,AAAA"


class Read(HTMLParser):
    """What a browser would see: the tags, and the keys of the figures."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.keys: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "figure":
            self.keys.append(str(S3Uri(*json.loads(dict(attrs)["data-image"] or "").values())))


HOSTILE = ['"><script>alert(1)</script>', "a&b<c>'d\".png", "$count ${cards}", "</figure><img src=x onerror=alert(1)>"]


@given(st.one_of(st.sampled_from(HOSTILE), st.text(min_size=1)))
def test_no_key_or_cause_becomes_markup(text: str) -> None:
    plain, hostile = (Read(render([Card("b", word, (), word, THUMBNAIL)], VEHICLES)) for word in ("x", text))
    assert hostile.tags == plain.tags
    assert hostile.keys == [f"s3://b/{text}"]


def test_the_page_asks_nothing_of_anybody_else() -> None:
    page = render(
        [Card("b", "http://elsewhere/a.png", (0.6, 0.4), "", THUMBNAIL), Card("b", "gone", (), "gone", None)], VEHICLES
    )
    assert all(address.startswith("data:") for address in re.findall(r'(?:src|href)="?([^"> ]*)', page))
    assert "bicycle 60.0%" in page
    assert page.count("data:image/png;base64,") == 1


def test_the_page_says_what_probably_shows_neither_label() -> None:
    pages = (render([Card("b", "x", (0.5, 0.5), "", None, neither)], VEHICLES) for neither in (True, False, None))
    assert ["probably neither" in page for page in pages] == [True, False, False]


def test_what_the_model_is_least_sure_of_comes_first_and_one_key_in_two_buckets_is_told_apart() -> None:
    cards = [Card("b", "x", (0.9, 0.1), "", None), Card("c", "x", (0.2, 0.8), "", None), Card("b", "y", (), "", None)]
    page = render(cards, VEHICLES)
    assert Read(page).keys == ["s3://b/y", "s3://c/x", "s3://b/x"]
    assert "3 images for review" in page
    assert "<h1>1 image for review</h1>" in render(cards[:1], VEHICLES)
