import json
import threading

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from core.s3_uris import S3Uri
from review.manifest import KEY, Decision, ReviewManifest
from tests import fake_aws
from tests.review.fakes import BUCKET, FakeS3


def decision(key: str, name: str = "bicycle", execution: str = "arn:e1") -> Decision:
    label = {"bicycle": 0, "motorcycle": 1}.get(name)
    return Decision(S3Uri(BUCKET, key), execution, name, label, f"{key}.png", "2026-03-01T12:00:00+00:00")


def lines(s3: FakeS3) -> list[dict[str, object]]:
    return [json.loads(line) for line in s3.objects[KEY].decode().splitlines()]


def test_a_decision_is_a_line_of_an_augmented_manifest() -> None:
    s3 = FakeS3()
    ReviewManifest(s3, BUCKET).record([decision("a.png", "motorcycle")])
    (line,) = lines(s3)
    assert (line["source-ref"], line["label"]) == ("s3://data/a.png", 1)
    metadata = line["label-metadata"]
    assert isinstance(metadata, dict)
    assert (metadata["class-name"], metadata["type"]) == ("motorcycle", "groundtruth/image-classification")


@given(st.text(min_size=1))
def test_no_key_breaks_a_line(key: str) -> None:
    image = decision(key)
    assert "\n" not in image.line()
    assert image.line().isascii()
    assert Decision.parse(image.line()) == image


def test_the_first_decision_about_an_execution_counts() -> None:
    s3 = FakeS3()
    first, second = ReviewManifest(s3, BUCKET), ReviewManifest(s3, BUCKET)
    assert first.record([decision("a.png", "bicycle")])[0].name == "bicycle"
    assert second.record([decision("a.png", "motorcycle")])[0].name == "bicycle"
    assert second.record([decision("a.png", "motorcycle", "arn:e2")])[0].name == "motorcycle"
    assert len(lines(s3)) == 1


def test_a_decision_that_is_taken_back_is_gone_for_every_server() -> None:
    s3 = FakeS3()
    first, second = ReviewManifest(s3, BUCKET), ReviewManifest(s3, BUCKET)
    first.record([decision("a.png")])
    assert second.remove(S3Uri(BUCKET, "a.png"), "arn:other") is None
    assert second.remove(S3Uri(BUCKET, "a.png"), "arn:e1") == decision("a.png")
    assert first.find(S3Uri(BUCKET, "a.png"), "arn:e1", 0) is None


def test_servers_that_write_at_once_lose_nothing() -> None:
    s3 = FakeS3()
    lock, put = threading.Lock(), s3.put_object

    def one_at_a_time(**parameters: object) -> object:
        with lock:
            return put(**parameters)

    s3.put_object = one_at_a_time  # type: ignore[assignment,method-assign]

    def write(server: int) -> None:
        manifest = ReviewManifest(s3, BUCKET)
        for number in range(25):
            manifest.record([decision(f"{server}-{number}.png")])

    threads = [threading.Thread(target=write, args=(server,)) for server in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({line["source-ref"] for line in lines(s3)}) == len(lines(s3)) == 100
    assert ReviewManifest(s3, BUCKET).counts() == {"bicycle": 100}


def test_a_write_that_fails_is_repeated_by_its_caller() -> None:
    s3 = FakeS3()
    manifest = ReviewManifest(s3, BUCKET)
    s3.fail_next = fake_aws.error("InternalError", "no")
    with pytest.raises(ClientError, match="InternalError"):
        manifest.record([decision("a.png")])
    assert manifest.record([decision("a.png")])[0].name == "bicycle"
    assert len(lines(s3)) == 1
