import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.capture import EVALUATION, Place, Reading, place_of, wait_for
from monitoring.capture import reader as module
from monitoring.capture.lines import lines
from monitoring.capture.record import Malformed, Unanswered, parse
from monitoring.errors import CaptureIncomplete, CaptureOff
from tests.monitoring.captures import NOON, PLACE, FakeS3, file, key, line, record

MINUTE = timedelta(minutes=1)


def ids(reading: Reading) -> list[str]:
    return [inference.event_id for inference in reading]


def reading(s3: FakeS3, minutes: float = 30, **kwargs: Any) -> Reading:
    return Reading(s3, PLACE, NOON, NOON + minutes * MINUTE, now=lambda: NOON + 30 * MINUTE, **kwargs)


def test_every_record_of_every_file_is_read_in_the_order_of_time() -> None:
    files = {
        key(NOON + MINUTE * minute): file(*(line(f"{minute}-{n}", NOON + MINUTE * minute) for n in range(3)))
        for minute in range(25)
    }
    found = reading(FakeS3(files), workers=4)
    assert ids(found) == [f"{minute}-{n}" for minute in range(25) for n in range(3)]
    assert (found.report.records, found.report.files, found.report.sentences()) == (75, 25, [])


def test_a_record_keeps_what_was_asked_and_answered() -> None:
    sent = b"\x89PNG\r\n\x1a\n"
    found = parse(line("e", NOON, "[0.25, 0.75]", image=sent, inferenceId="mine"))
    assert (found.time, found.event_id, found.inference_id) == (NOON, "e", "mine")
    assert (found.inferences, found.label, found.confidence) == ((0.25, 0.75), 1, 0.75)
    assert (found.image, found.content_type) == (sent, "application/x-image")


def test_an_input_that_was_not_captured_is_none() -> None:
    found = parse(line("e", image=None))
    assert (found.image, found.content_type) == (None, None)


@pytest.mark.parametrize(
    ("answer", "encoding"),
    [
        ("[0.25, 0.75]", "JSON"),
        ("WzAuMjUsIDAuNzVd", "BASE64"),
        ("0.25,0.75", "CSV"),
        ("0.25,0.75\n", "CSV"),
        ("MC4yNSwwLjc1", "BASE64"),
        ('{"prediction": [0.25, 0.75]}', "JSON"),
        ('{"predictions": [[0.25, 0.75]]}', "JSON"),
        ('{"predictions": [{"probabilities": [0.25, 0.75]}]}', "JSON"),
        ('{"probabilities": [0.25, 0.75]}', "JSON"),
        ('{"predictions": [1], "probabilities": [0.25, 0.75]}', "JSON"),
    ],
)
def test_every_form_of_an_answer_is_read(answer: str, encoding: str) -> None:
    assert parse(line("e", NOON, answer, encoding)).inferences == (0.25, 0.75)


@pytest.mark.parametrize(
    "answer",
    [
        "[0.25]",
        "[0.2, 0.3, 0.5]",
        "[NaN, 1]",
        "[-0.5, 1.5]",
        "[0.9, 0.9]",
        "error",
        "",
        "{}",
        "null",
        '["a", 1]',
        "[[1], 2]",
        f"[1{'0' * 400}, 0]",
    ],
)
def test_an_answer_that_is_no_pair_of_probabilities_is_malformed(answer: str) -> None:
    with pytest.raises(Malformed):
        parse(line("e", NOON, answer))


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "noon", 12, None])
def test_a_time_that_is_none_or_outside_the_calendar_is_malformed(time: object) -> None:
    body = record("e", NOON)
    body["eventMetadata"]["inferenceTime"] = time
    with pytest.raises(Malformed):
        parse(json.dumps(body).encode())


FIELDS = st.sampled_from(["captureData", "eventMetadata", "endpointOutput", "data", "eventId", "inferenceTime"])
SCALARS = st.none() | st.booleans() | st.floats() | st.text()


@settings(deadline=None)
@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(FIELDS, inner)))
def test_any_other_json_is_refused_by_name_and_nothing_worse(content: Any) -> None:
    body = {"eventVersion": "0", **content} if isinstance(content, dict) else content
    with pytest.raises((Malformed, Unanswered)):
        parse(json.dumps(body).encode())


def test_packed_files_are_read_whatever_their_name() -> None:
    files = {
        key(NOON, "a", ".jsonl.gz"): file(line("a"), line("b"), packed=True),
        key(NOON, "b"): file(line("c"), packed=True) + file(line("d"), packed=True),
    }
    assert ids(reading(FakeS3(files))) == ["a", "b", "c", "d"]


@settings(deadline=None)
@given(
    st.lists(st.binary(max_size=9).map(lambda b: b.replace(b"\n", b"")), max_size=9), st.booleans(), st.integers(1, 7)
)
def test_lines_come_whole_however_the_bytes_arrive(texts: list[bytes], packed: bool, step: int) -> None:
    texts = [b"{" + text for text in texts]
    body = file(*texts)
    body = gzip.compress(body) if packed else body
    found = list(lines(body[at : at + step] for at in range(0, len(body), step)))
    assert [each.text for each in found] == texts
    assert all(each.whole for each in found)


def test_a_file_that_breaks_off_is_counted_once_and_loses_nothing_else() -> None:
    broken = gzip.compress(file(*(line(f"p{n}", inferenceId=f"{n * 7919}") for n in range(2000))))
    files = {
        key(NOON, "a"): file(line("a")) + line("b")[:100],
        key(NOON, "b"): file(line("c")) + line("d"),
        key(NOON, "c"): broken[: len(broken) // 2],
    }
    found = reading(FakeS3(files))
    got = ids(found)
    assert got[:3] == ["a", "c", "d"]
    assert 3 + 100 < len(got) < 2000
    assert (found.report.torn, found.report.malformed) == (2, 0)
    assert found.report.sentences() == ["2 files end in a torn line"]


def test_what_is_no_inference_is_counted_and_never_fatal() -> None:
    other = json.dumps(record("v") | {"eventVersion": "1"}).encode()
    asked = record("u")
    del asked["captureData"]["endpointOutput"]
    files = {
        key(NOON, "a"): file(line("one"), b"not json", b"", other, json.dumps(asked).encode(), line("two")),
        key(NOON, "b", ".txt"): b"hello",
        f"{PLACE.root}/2026/03/01/12/deeper/00-00-000-x.jsonl": b"hello",
    }
    found = reading(FakeS3(files))
    assert ids(found) == ["one", "two"]
    report = found.report
    assert (report.malformed, report.unknown_version, report.unanswered, report.foreign) == (1, 1, 1, 2)


def test_a_record_that_came_twice_counts_once() -> None:
    found = reading(FakeS3({key(NOON, "a"): file(line("x"), line("y")), key(NOON, "b"): file(line("x"))}))
    assert ids(found) == ["x", "y"]
    assert found.report.duplicates == 1


def test_what_was_asked_to_evaluate_the_endpoint_is_counted_apart() -> None:
    mine, others = f"{EVALUATION}1", "order-1"
    s3 = FakeS3({key(NOON, "a"): file(line("a", inferenceId=mine), line("b", inferenceId=others), line("c"))})
    found = reading(s3)
    assert ids(found) == ["b", "c"]
    assert found.report.evaluation == 1
    assert found.report.sentences() == ["1 record of `scones evaluate` is left out: it is no traffic"]


def test_a_range_that_begins_within_a_second_keeps_that_seconds_records() -> None:
    s3 = FakeS3({key(NOON): file(line("a", NOON))})
    assert ids(Reading(s3, PLACE, NOON + timedelta(milliseconds=700), now=lambda: NOON)) == ["a"]


def test_a_file_that_vanishes_is_counted_and_a_refusal_is_an_error() -> None:
    s3 = FakeS3({key(NOON, "a"): file(line("a")), key(NOON, "b"): file(line("b"))})
    s3.vanished = {key(NOON, "a")}
    found = reading(s3)
    assert ids(found) == ["b"]
    assert found.report.vanished == 1

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")

    s3.get_object = refuse  # type: ignore[assignment,method-assign]
    with pytest.raises(ClientError, match="AccessDenied"):
        list(reading(s3))


def test_only_the_hours_asked_for_are_listed_and_only_their_files_fetched() -> None:
    files = {key(NOON + MINUTE * at): file(line(str(at), NOON + MINUTE * at)) for at in range(-180, 300, 10)}
    s3 = FakeS3(files)
    found = reading(s3, minutes=60)
    assert ids(found) == ["0", "10", "20", "30", "40", "50", "60"]
    assert s3.listed == [f"{PLACE.root}/2026/03/01/{hour}/" for hour in (11, 12, 13)]
    assert len(s3.fetched) == 7
    assert (found.report.listings, found.report.fetches) == (3, 7)


def test_a_file_named_after_the_hour_before_may_hold_a_record_of_this_one() -> None:
    second = timedelta(seconds=1)
    early = key(NOON - 30 * second)
    s3 = FakeS3({early: file(line("before", NOON - second), line("in", NOON))})
    found = reading(s3)
    assert ids(found) == ["in"]
    assert found.report.outside == 1


def test_a_clock_that_is_ahead_loses_nothing_and_is_told() -> None:
    ahead = NOON + 90 * timedelta(seconds=1)
    s3 = FakeS3({key(ahead): file(line("a", ahead))})
    found = Reading(s3, PLACE, NOON - MINUTE, now=lambda: NOON)
    assert ids(found) == ["a"]
    assert (found.report.ahead, found.report.skew) == (1, 90)
    assert "90 s in the future" in found.report.sentences()[0]


def test_large_files_are_streamed_in_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGE", 1000)
    files = {key(NOON + n * MINUTE): file(*(line(f"{n}-{k}") for k in range(1 + 9 * (n % 2)))) for n in range(6)}
    expected = [f"{n}-{k}" for n in range(6) for k in range(1 + 9 * (n % 2))]
    assert ids(reading(FakeS3(files), workers=2)) == expected


def test_files_are_fetched_no_further_ahead_than_there_are_workers() -> None:
    s3 = FakeS3({key(NOON + n * MINUTE): file(line(str(n))) for n in range(25)})
    found = iter(reading(s3, workers=3))
    next(found)
    assert len(s3.fetched) <= 4


def test_an_empty_range_is_empty() -> None:
    found = reading(FakeS3({}))
    assert (ids(found), found.report.sentences()) == ([], [])


def test_missing_captures_are_an_error_that_counts_them() -> None:
    now = datetime.now(UTC)
    s3 = FakeS3({key(now): file(line("one", now), line("one", now))})
    assert wait_for(s3, PLACE, now, 1, timeout=0) == 1
    with pytest.raises(CaptureIncomplete, match="1 of 3"):
        wait_for(s3, PLACE, now, 3, timeout=0)


class Endpoint:
    def __init__(self, capture: dict[str, Any] | None) -> None:
        self.capture = capture

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:  # noqa: N803
        found: dict[str, Any] = {"EndpointName": EndpointName, "ProductionVariants": [{"VariantName": "Blue"}]}
        return found | ({"DataCaptureConfig": self.capture} if self.capture else {})


def test_the_endpoint_says_where_it_captures() -> None:
    config = {"EnableCapture": True, "DestinationS3Uri": "s3://bucket/some/prefix"}
    assert place_of(Endpoint(config), "e") == Place("bucket", "some/prefix", "e", "Blue")


@pytest.mark.parametrize("config", [None, {"EnableCapture": False, "DestinationS3Uri": "s3://b/p"}])
def test_an_endpoint_without_capture_is_refused_in_words(config: dict[str, Any] | None) -> None:
    with pytest.raises(CaptureOff, match="endpoint e has no data capture"):
        place_of(Endpoint(config), "e")
