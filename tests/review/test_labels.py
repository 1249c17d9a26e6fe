import pytest

from core.labels import VEHICLES
from core.s3_uris import S3Uri
from review.errors import AmbiguousImage, ImageNotInReview, InvalidLabel
from review.labels import match_images, parse_label_lines


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
