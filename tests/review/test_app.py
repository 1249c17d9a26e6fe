import io
import json

import numpy as np
import pytest
from PIL import Image

from review.app import ReviewServer, keys
from review.manifest import ReviewManifest
from review.reviewing import Reviewing
from review.tickets import Tickets
from tests import fake_aws
from tests.review.asgi_client import AsgiClient
from tests.review.fakes import BUCKET, FAILURES, QUEUE, FakeS3, FakeSqs, message
from tests.review.test_reviewing import png

LABELS = ("bicycle", "motorcycle")


class Page:
    """The page's requests to a server of these queues."""

    def __init__(self, secret: bytes = b"secret") -> None:
        self.s3, self.sqs, self.redriven = FakeS3(), FakeSqs(), list[list[str]]()
        reviewing = Reviewing(self.s3, self.sqs, QUEUE, ReviewManifest(self.s3, BUCKET), BUCKET, LABELS)

        def redrive(executions: object) -> int:
            self.redriven.append(list(executions))  # type: ignore[call-overload]
            return 2

        server = ReviewServer(reviewing, Tickets(secret), self.sqs, FAILURES, redrive)
        self.client = AsgiClient(server.app(), "http://127.0.0.1:8090")

    def post(self, action: str, status: int = 200, **body: object) -> dict[str, object]:
        response = self.client.post(f"/api/{action}", json=body)
        assert response.status_code == status, response.text
        content: dict[str, object] = response.json()
        return content

    def next(self) -> dict[str, object]:
        item = self.post("next")["item"]
        assert isinstance(item, dict)
        return item


def test_an_image_is_shown_with_its_confidence_and_reason_and_labelled() -> None:
    page = Page()
    page.s3.objects["a.png"] = png(1)
    page.sqs.send_message(QueueUrl=QUEUE, MessageBody=message("a.png"))
    item = page.next()
    assert (item["uri"], item["inferences"]) == ("s3://data/a.png", [0.7, 0.3])
    assert item["reason"] == "confidence 0.70 is below the threshold 0.94"
    assert page.post("label", ticket=item["ticket"], label="motorcycle") == {"label": "motorcycle"}
    state = page.client.get("/api/state").json()
    assert (state["left"], state["counts"]) == (0, {"motorcycle": 1})
    assert page.post("next") == {"item": None}


@pytest.mark.parametrize(
    ("sent", "shown"), [({"probably_neither": True}, True), ({"probably_neither": None}, False), ({}, False)]
)
def test_an_image_of_neither_is_shown_as_such_where_the_model_says_so(sent: dict[str, object], shown: bool) -> None:
    page = Page()
    page.s3.objects["a.png"] = png(1)
    page.sqs.send_message(QueueUrl=QUEUE, MessageBody=json.dumps(json.loads(message("a.png")) | sent))
    assert page.next()["probably_neither"] is shown


def test_the_page_is_three_files_of_its_own() -> None:
    page = Page()
    html = page.client.get("/").text
    assert '<script src="page.js" defer>' in html
    assert "//" not in html.replace("<!doctype", "")
    assert page.client.get("/page.js").headers["content-type"].startswith("text/javascript")
    assert page.client.get("/page.css").status_code == 200


def test_an_image_is_never_passed_on_but_drawn_anew() -> None:
    page = Page()
    content = io.BytesIO()
    Image.fromarray(np.zeros((10, 2000, 3), np.uint8)).save(content, "PNG", pnginfo=None)
    page.s3.objects["<script>.png"] = content.getvalue() + b"<script>alert(1)</script>"
    page.sqs.send_message(QueueUrl=QUEUE, MessageBody=message("<script>.png"))
    response = page.client.get("/image", params={"ticket": str(page.next()["ticket"])})
    assert response.headers["content-type"] == "image/png"
    assert b"script" not in response.content
    assert Image.open(io.BytesIO(response.content)).size == (1024, 5)


@pytest.mark.parametrize("content", [b"no image", png(1)[:30], None])
def test_an_image_that_cannot_be_shown_is_a_named_error(content: bytes | None) -> None:
    page = Page()
    if content is not None:
        page.s3.objects["a.png"] = content
    page.sqs.send_message(QueueUrl=QUEUE, MessageBody=message("a.png"))
    response = page.client.get("/image", params={"ticket": str(page.next()["ticket"])})
    assert response.status_code in {404, 409}
    assert response.json()["error"]


def test_a_ticket_is_only_accepted_from_a_server_of_the_same_secret() -> None:
    page, restarted, stranger = Page(), Page(), Page(b"other")
    page.sqs.send_message(QueueUrl=QUEUE, MessageBody=message("a.png"))
    ticket = page.next()["ticket"]
    restarted.s3.objects["a.png"] = png(1)
    restarted.post("label", ticket=ticket, label="bicycle")
    for forged in (ticket, "", None, f"{ticket}0", 5):
        stranger.post("label", 409, ticket=forged, label="bicycle")


@pytest.mark.parametrize("label", ["car", "", None, ["bicycle"]])
def test_a_label_of_none_of_the_classes_is_refused(label: object) -> None:
    page = Page()
    page.sqs.send_message(QueueUrl=QUEUE, MessageBody=message("a.png"))
    assert "is not a label" in str(page.post("label", 409, ticket=page.next()["ticket"], label=label)["error"])


def test_a_service_that_does_not_respond_is_an_error_that_the_page_repeats() -> None:
    page = Page()
    page.s3.objects["a.png"] = png(1)
    page.sqs.send_message(QueueUrl=QUEUE, MessageBody=message("a.png"))
    ticket = page.next()["ticket"]
    page.s3.fail_next = fake_aws.error("SlowDown", "no")
    page.post("label", 503, ticket=ticket, label="bicycle")
    page.post("label", ticket=ticket, label="bicycle")
    assert page.client.get("/api/state").json()["counts"] == {"bicycle": 1}


def test_a_reservation_is_extended_and_given_up() -> None:
    page = Page()
    page.sqs.send_message(QueueUrl=QUEUE, MessageBody=message("a.png"))
    ticket = page.next()["ticket"]
    page.post("reserve", tickets=[ticket])
    page.post("skip", ticket=ticket)
    assert page.sqs.extended == [60, 120]
    page.post("release", tickets=[ticket])
    assert page.next()["uri"] == "s3://data/a.png"


def test_failures_are_listed_with_their_reason_and_redriven() -> None:
    page = Page()
    body = {
        "execution_arn": "arn:f", "input": {"s3_bucket": "b", "s3_key": "k\n"}, "error": "ImageNotFound",
        "cause": json.dumps({"errorMessage": "there is no object"}),
    }  # fmt: skip
    for text in (json.dumps(body), "no JSON"):
        page.sqs.send_message(QueueUrl=FAILURES, MessageBody=text)
    listed = page.client.get("/api/failures").json()["failures"]
    assert {(each["error"], each["reason"], each["image"]) for each in listed} == {
        ("ImageNotFound", "there is no object", "s3://b/k\n"),
        ("unreadable message", "no JSON", ""),
    }
    assert len(page.client.get("/api/failures").json()["failures"]) == 2
    assert page.post("redrive", executions=["arn:f"]) == {"started": 2}
    page.post("redrive")
    assert page.redriven == [["arn:f"], []]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("bicycle", "motorcycle"), ["b", "m", "n"]),
        (("apple", "avocado"), ["1", "2", "n"]),
        (("nut", "screw"), ["1", "2", "n"]),
        (("_a", "b"), ["1", "2", "n"]),
    ],
)
def test_each_label_has_a_key_of_its_own(labels: tuple[str, str], expected: list[str]) -> None:
    assert list(keys(labels).values()) == expected


@pytest.mark.parametrize("body", ["", "[]", "null", "{"])
def test_a_request_that_is_no_object_is_refused(body: str) -> None:
    headers = {"content-type": "application/json"}
    assert Page().client.post("/api/next", content=body, headers=headers).status_code == 400
