import base64
import json
from types import SimpleNamespace

import pytest
from errors import ImageNotFound, InvalidInput, NotAnImage, SerializeError, StorageUnavailable, UnsupportedImage
from handler import handler
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image import MAX_IMAGE_BYTES
from s3_stub import S3Stub, failure
from sample_images import file, noise, photograph

CONTEXT = SimpleNamespace(aws_request_id="4f2b")
STATE_LIMIT = 256 * 1024
SMALL = file(noise(32, 32), "PNG")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = st.text(max_size=40) | st.sampled_from(["images", "arn:aws:s3:us-east-1:123456789012:accesspoint/a", "../.."])


def event(key: object = "a.png", bucket: object = "images") -> dict[str, object]:
    return {"s3_bucket": bucket, "s3_key": key}


def test_a_small_image_arrives_whole_in_base64(bucket: S3Stub) -> None:
    bucket.objects["images", "a.png"] = SMALL
    assert handler(event(), CONTEXT) == {
        "s3_bucket": "images",
        "s3_key": "a.png",
        "image_data": base64.b64encode(SMALL).decode(),
        "content_type": "image/png",
    }


def test_without_a_context_the_log_line_has_an_empty_request_id(
    bucket: S3Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.objects["images", "a.png"] = SMALL
    handler(event(), None)
    assert json.loads(capsys.readouterr().out)["request_id"] == ""


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("in/day1/", "folder placeholder"), ("/", "folder placeholder"), ("in/.DS_Store", "hidden file"),
        ("in/._photo.jpg", "hidden file"), (".hidden", "hidden file"),
    ],
)  # fmt: skip
def test_what_a_console_puts_next_to_images_is_skipped_where_an_event_names_it(
    key: str, kind: str, bucket: S3Stub
) -> None:
    bucket.objects["images", key] = SMALL
    with pytest.raises(NotAnImage) as refusal:
        handler(event(key) | {"id": "3c1e"}, CONTEXT)
    assert str(refusal.value) == f"'{key}' is a {kind}"
    assert handler(event(key), CONTEXT)["s3_key"] == key, "a person who names it means it"


@pytest.mark.parametrize("encoded", ["in/a%20%2B%20b%25.png", "in/a+%2B+b%25.png", "in/a + b%.png"])
def test_a_key_is_found_encoded_or_not_and_answered_as_it_is_stored(encoded: str, bucket: S3Stub) -> None:
    bucket.objects["images", "in/a + b%.png"] = SMALL
    assert handler(event(encoded), CONTEXT)["s3_key"] == "in/a + b%.png"


@pytest.mark.parametrize("key", ["k" * 1024, "\u00e9" * 512, "\U0001f6b2" * 256, "\x01" * 1024])
def test_a_key_of_1024_bytes_is_served_and_the_fullest_state_stays_under_its_limit(key: str, bucket: S3Stub) -> None:
    bucket.objects["images", key] = SMALL + bytes(MAX_IMAGE_BYTES - len(SMALL))
    result = handler(event(key), CONTEXT)
    assert result["s3_key"] == key
    assert len(base64.b64decode(result["image_data"])) == MAX_IMAGE_BYTES
    wrapped = {"s3_bucket": "images", "s3_key": key, "Payload": result}
    assert len(json.dumps(wrapped)) + 2048 < STATE_LIMIT


@pytest.mark.parametrize("key", ["k" * 1025, "\u00e9" * 513, "k+" * 513])
def test_a_key_of_more_than_1024_bytes_is_invalid_input(key: str, bucket: S3Stub) -> None:
    with pytest.raises(InvalidInput, match=r"s3_key must have at most 1024 bytes of UTF-8, got 102[56]"):
        handler(event(key), CONTEXT)
    assert bucket.paths == []


def test_an_encoded_key_may_be_longer_than_the_key_it_means(bucket: S3Stub) -> None:
    key = "\u00e9" * 512
    bucket.objects["images", key] = SMALL
    assert handler(event("%C3%A9" * 512), CONTEXT)["s3_key"] == key


def test_a_large_photograph_arrives_smaller(bucket: S3Stub) -> None:
    bucket.objects["images", "a.jpg"] = file(photograph(2000, 1500), "JPEG", quality=95)
    result = handler(event("a.jpg"), CONTEXT)
    assert result["content_type"] == "image/jpeg"
    assert len(json.dumps(result)) < STATE_LIMIT - 8192


@pytest.mark.parametrize(("data", "reason"), [(b"", "empty"), (b"some text", "not a JPEG"), (SMALL[:-50], "truncated")])
def test_what_is_no_image_is_refused_by_name(data: bytes, reason: str, bucket: S3Stub) -> None:
    bucket.objects["images", "a.png"] = data
    with pytest.raises(UnsupportedImage, match=reason):
        handler(event(), CONTEXT)


def test_a_missing_key_is_refused_by_name(bucket: S3Stub) -> None:
    with pytest.raises(ImageNotFound, match=r"'no%20such\.png' in 'images' does not exist"):
        handler(event("no%20such.png"), CONTEXT)


def test_a_stumble_of_s3_is_outlived_and_an_outage_is_named(bucket: S3Stub) -> None:
    bucket.objects["images", "a.png"] = SMALL
    bucket.failures = [failure(503, "SlowDown"), failure(500, "InternalError")]
    assert handler(event(), CONTEXT)["s3_key"] == "a.png"
    bucket.failures = [failure(503, "SlowDown")] * 3
    with pytest.raises(StorageUnavailable, match="S3 responded 503 'SlowDown'"):
        handler(event(), CONTEXT)
    assert bucket.failures == []


@pytest.mark.parametrize("broken", [None, [], "text", 3, True])
def test_an_event_that_is_no_object_is_invalid_input(broken: object, bucket: S3Stub) -> None:
    with pytest.raises(InvalidInput, match="the event must be a JSON object"):
        handler(broken, CONTEXT)


@pytest.mark.parametrize("field", ["s3_bucket", "s3_key"])
@pytest.mark.parametrize("value", [None, "", 7, 0.5, False, ["a"], {"a": 1}])
def test_a_field_that_is_no_text_is_invalid_input_and_named(field: str, value: object, bucket: S3Stub) -> None:
    with pytest.raises(InvalidInput, match=f"^{field} must be a non-empty text, got "):
        handler({**event(), field: value}, CONTEXT)
    with pytest.raises(InvalidInput, match=f"^{field} must be a non-empty text, got nothing"):
        handler({name: text for name, text in event().items() if name != field}, CONTEXT)


@pytest.mark.parametrize("field", ["s3_bucket", "s3_key"])
def test_half_of_a_surrogate_pair_is_invalid_input_and_named_as_one(field: str, bucket: S3Stub) -> None:
    with pytest.raises(InvalidInput, match=rf"^{field} must be valid Unicode, got '\\ud800\.jpg', with half of a"):
        handler({**event(), field: "\ud800.jpg"}, CONTEXT)


WRAPPED = [
    ({"statusCode": 200, "body": event()}, r'the fields are under body: set "InputPath": "\$\.body"'),
    ({"statusCode": 200, "body": json.dumps(event())}, "the fields are in body, a JSON text"),
    ({"StatusCode": 200, "Payload": event()}, r'the fields are under Payload: set "InputPath": "\$\.Payload"'),
]


@pytest.mark.parametrize(("wrapped", "difference"), WRAPPED)
def test_an_event_that_another_solution_wrapped_is_refused_with_the_difference(
    wrapped: object, difference: str, bucket: S3Stub
) -> None:
    with pytest.raises(InvalidInput, match=f"^s3_bucket must be a non-empty text, got nothing: {difference}"):
        handler(wrapped, CONTEXT)


def test_the_empty_fields_of_a_published_event_are_dropped(bucket: S3Stub) -> None:
    bucket.objects["images", "a.png"] = SMALL
    result = handler({**event(), "image_data": "", "inferences": []}, CONTEXT)
    assert base64.b64decode(result["image_data"]) == SMALL


def test_a_warm_function_never_serves_the_image_before(bucket: S3Stub) -> None:
    bucket.objects["images", "first"] = file(noise(32, 32, seed=1), "PNG")
    bucket.objects["images", "second"] = file(noise(32, 32, seed=2), "PNG")
    bucket.objects["images", "broken"] = b"no image"
    first = handler(event("first"), CONTEXT)
    with pytest.raises(UnsupportedImage):
        handler(event("broken"), CONTEXT)
    second = handler(event("second"), CONTEXT)
    assert base64.b64decode(second["image_data"]) == bucket.objects["images", "second"]
    assert second["image_data"] != first["image_data"]
    assert handler(event("first"), CONTEXT) == first


def test_one_line_of_json_is_logged_without_the_image(bucket: S3Stub, capsys: pytest.CaptureFixture[str]) -> None:
    key = 'a"\n{"state": "forged"}\r\u2028.png'
    bucket.objects["images", key] = SMALL
    image_data = handler(event(key), CONTEXT)["image_data"]
    out, err = capsys.readouterr()
    (line,) = out.splitlines()
    assert json.loads(line) == {
        "state": "SerializeImageData",
        "request_id": "4f2b",
        "s3_bucket": "images",
        "s3_key": key,
        "object_bytes": len(SMALL),
        "image_bytes": len(SMALL),
        "content_type": "image/png",
    }
    assert image_data[:24] not in out
    assert err == ""


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(JSON | st.fixed_dictionaries({"s3_bucket": NAMES, "s3_key": st.text(max_size=1100) | JSON}))
def test_any_event_is_answered_or_refused_by_name(bucket: S3Stub, anything: object) -> None:
    with pytest.raises(SerializeError) as refusal:
        handler(anything, CONTEXT)
    message = str(refusal.value)
    message.encode()
    assert "\n" not in message
    assert len(message) < 1000


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(min_size=1, max_size=60))
def test_any_key_that_exists_is_found(bucket: S3Stub, key: str) -> None:
    bucket.objects.clear()
    bucket.objects["images", key] = SMALL
    assert handler(event(key), CONTEXT)["s3_key"] == key
