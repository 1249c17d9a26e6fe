import codecs
import json

import pytest

from core.errors import UndecodableText
from core.labels import VEHICLES
from core.s3_uris import S3Uri
from review.errors import AmbiguousImage, ImageNotInReview, InvalidLabel
from review.labels import match_images, parse_label_lines, read_label_file


def test_a_label_is_what_stands_behind_the_last_equals_sign() -> None:
    lines = ["a=b.png=bicycle", " c.png=neither ", "", "c.png=motorcycle"]
    assert parse_label_lines(lines, VEHICLES) == {"a=b.png": "bicycle", "c.png": "motorcycle"}


@pytest.mark.parametrize("line", ["bicycle", "a.png=", "=bicycle", "a.png=tricycle", "a.png"])
def test_a_label_that_is_none_is_named(line: str) -> None:
    with pytest.raises(InvalidLabel, match="KEY=LABEL"):
        parse_label_lines([line], VEHICLES)


def test_other_labels_are_those_of_the_stack() -> None:
    assert parse_label_lines(["a.png=orange"], ("apple", "orange")) == {"a.png": "orange"}
    with pytest.raises(InvalidLabel, match="apple, orange, neither"):
        parse_label_lines(["a.png=bicycle"], ("apple", "orange"))


IMAGES = [S3Uri("b", "a.png"), S3Uri("c", "a.png"), S3Uri("b", "b.png")]


def test_an_image_is_named_by_its_key_or_its_uri() -> None:
    assert match_images({"b.png": "bicycle", "s3://c/a.png": "neither"}, IMAGES) == {
        S3Uri("b", "b.png"): "bicycle",
        S3Uri("c", "a.png"): "neither",
    }


def test_a_key_of_two_buckets_is_ambiguous() -> None:
    with pytest.raises(AmbiguousImage, match=r"s3://b/a\.png or s3://c/a\.png"):
        match_images({"a.png": "bicycle"}, IMAGES)


def test_an_image_that_is_not_in_the_queue_is_named() -> None:
    with pytest.raises(ImageNotInReview, match=r"no image x\.png"):
        match_images({"x.png": "bicycle", "b.png": "bicycle"}, IMAGES)


HOSTILE_KEY = 'a\nb=bicycle\u2028c,"d.png'
ONE = {f"s3://b/{HOSTILE_KEY}": "bicycle"}
JSON_LINE = json.dumps({"s3_bucket": "b", "s3_key": HOSTILE_KEY, "label": "bicycle"}, ensure_ascii=False)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (JSON_LINE.encode(), ONE),
        (codecs.BOM_UTF8 + JSON_LINE.encode() + b"\r\n\r\n", ONE),
        (JSON_LINE.encode("utf-16"), ONE),
        (b'{"s3_key": "a=b.png", "label": "Neither"}', {"a=b.png": "neither"}),
        (b"s3_key,label\r\na.png,bicycle\r\n", {"a.png": "bicycle"}),
        (b"label,s3_bucket,s3_key\nbicycle,b,a.png\n", {"s3://b/a.png": "bicycle"}),
        (codecs.BOM_UTF8 + b"incoming/x.jpg=bicycle\r\n", {"incoming/x.jpg": "bicycle"}),
        ("k=bicycle\n".encode("utf-16"), {"k": "bicycle"}),
        (b"runs/1/a.JPEG=Bicycle\n", {"runs/1/a.JPEG": "bicycle"}),
        (b"", {}),
    ],
)
def test_a_file_of_labels_is_read_in_every_form(content: bytes, expected: dict[str, str]) -> None:
    assert read_label_file(content, "labels", VEHICLES) == expected


@pytest.mark.parametrize(
    "content",
    [
        b'{"s3_key": "a.png"}',
        b'{"s3_key": 1, "label": "bicycle"}',
        b'{"s3_key": "a", "label": "car"}',
        b'{"s3_key": "a"',
        b'{"s3_bucket": 1, "s3_key": "a", "label": "bicycle"}',
        b"s3_key,label\na.png,\n",
        b"a.png",
    ],
)
def test_a_file_with_a_line_that_is_no_label_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidLabel):
        read_label_file(content, "labels", VEHICLES)


def test_another_encoding_is_refused_by_name() -> None:
    with pytest.raises(UndecodableText, match="labels is not UTF-8"):
        read_label_file(b"caf\xe9.jpg=bicycle", "labels", VEHICLES)
