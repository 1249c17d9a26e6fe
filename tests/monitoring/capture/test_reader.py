import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from monitoring.capture import EVALUATION, CaptureLocation, CaptureReader
from monitoring.capture import reader as module
from tests.monitoring.captures import LOCATION, NOON, FakeS3, file, key, line, record

MINUTE = timedelta(minutes=1)


def ids(reading: CaptureReader) -> list[str]:
    return [inference.event_id for inference in reading]


def reading(s3: FakeS3, minutes: float = 30, **kwargs: Any) -> CaptureReader:
    return CaptureReader(s3, LOCATION, NOON, NOON + minutes * MINUTE, now=lambda: NOON + 30 * MINUTE, **kwargs)


def test_every_record_of_every_file_is_read_in_the_order_of_time() -> None:
    files = {
        key(NOON + MINUTE * minute): file(*(line(f"{minute}-{n}", NOON + MINUTE * minute) for n in range(3)))
        for minute in range(25)
    }
    result = reading(FakeS3(files), workers=4)
    assert ids(result) == [f"{minute}-{n}" for minute in range(25) for n in range(3)]
    assert (result.counts.records, result.counts.files, result.counts.sentences()) == (75, 25, [])


def test_packed_files_are_read_whatever_their_name() -> None:
    files = {
        key(NOON, "a", ".jsonl.gz"): file(line("a"), line("b"), packed=True),
        key(NOON, "b"): file(line("c"), packed=True) + file(line("d"), packed=True),
    }
    assert ids(reading(FakeS3(files))) == ["a", "b", "c", "d"]


def test_a_file_that_breaks_off_is_counted_once_and_loses_nothing_else() -> None:
    broken = gzip.compress(file(*(line(f"p{n}", inferenceId=f"{n * 7919}") for n in range(2000))))
    files = {
        key(NOON, "a"): file(line("a")) + line("b")[:100],
        key(NOON, "b"): file(line("c")) + line("d"),
        key(NOON, "c"): broken[: len(broken) // 2],
    }
    result = reading(FakeS3(files))
    got = ids(result)
    assert got[:3] == ["a", "c", "d"]
    assert 3 + 100 < len(got) < 2000
    assert (result.counts.truncated, result.counts.malformed) == (2, 0)
    assert result.counts.sentences() == ["2 files end in a truncated line"]


def test_what_is_no_inference_is_counted_and_never_fatal() -> None:
    other = json.dumps(record("v") | {"eventVersion": "1"}).encode()
    asked = record("u")
    del asked["captureData"]["endpointOutput"]
    files = {
        key(NOON, "a"): file(line("one"), b"not json", b"", other, json.dumps(asked).encode(), line("two")),
        key(NOON, "b", ".txt"): b"hello",
        f"{LOCATION.root}/2026/03/01/12/deeper/00-00-000-x.jsonl": b"hello",
    }
    result = reading(FakeS3(files))
    assert ids(result) == ["one", "two"]
    counts = result.counts
    assert (counts.malformed, counts.unknown_version, counts.missing_output, counts.foreign) == (1, 1, 1, 2)


def test_a_record_that_came_twice_counts_once() -> None:
    result = reading(FakeS3({key(NOON, "a"): file(line("x"), line("y")), key(NOON, "b"): file(line("x"))}))
    assert ids(result) == ["x", "y"]
    assert result.counts.duplicates == 1


def test_what_was_asked_to_evaluate_the_endpoint_is_counted_apart() -> None:
    mine, others = f"{EVALUATION}1", "order-1"
    s3 = FakeS3({key(NOON, "a"): file(line("a", inferenceId=mine), line("b", inferenceId=others), line("c"))})
    result = reading(s3)
    assert ids(result) == ["b", "c"]
    assert result.counts.evaluation == 1
    assert result.counts.sentences() == ["1 record of `scones evaluate` is excluded: it is not production traffic"]


def test_a_range_that_begins_within_a_second_keeps_that_seconds_records() -> None:
    s3 = FakeS3({key(NOON): file(line("a", NOON))})
    assert ids(CaptureReader(s3, LOCATION, NOON + timedelta(milliseconds=700), now=lambda: NOON)) == ["a"]


def test_a_file_that_vanishes_is_counted_and_a_refusal_is_an_error() -> None:
    s3 = FakeS3({key(NOON, "a"): file(line("a")), key(NOON, "b"): file(line("b"))})
    s3.vanished = {key(NOON, "a")}
    result = reading(s3)
    assert ids(result) == ["b"]
    assert result.counts.vanished == 1

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")

    s3.get_object = refuse  # type: ignore[assignment,method-assign]
    with pytest.raises(ClientError, match="AccessDenied"):
        list(reading(s3))


def test_only_the_hours_asked_for_are_listed_and_only_their_files_fetched() -> None:
    files = {key(NOON + MINUTE * at): file(line(str(at), NOON + MINUTE * at)) for at in range(-180, 300, 10)}
    s3 = FakeS3(files)
    result = reading(s3, minutes=60)
    assert ids(result) == ["0", "10", "20", "30", "40", "50", "60"]
    assert s3.listed == [f"{LOCATION.root}/2026/03/01/{hour}/" for hour in (11, 12, 13)]
    assert len(s3.fetched) == 7
    assert (result.counts.listings, result.counts.fetches) == (3, 7)


def test_a_file_named_after_the_hour_before_may_hold_a_record_of_this_one() -> None:
    second = timedelta(seconds=1)
    early = key(NOON - 30 * second)
    s3 = FakeS3({early: file(line("before", NOON - second), line("in", NOON))})
    result = reading(s3)
    assert ids(result) == ["in"]
    assert result.counts.outside == 1


def test_a_clock_that_is_ahead_loses_nothing_and_is_reported() -> None:
    ahead = NOON + 90 * timedelta(seconds=1)
    s3 = FakeS3({key(ahead): file(line("a", ahead))})
    result = CaptureReader(s3, LOCATION, NOON - MINUTE, now=lambda: NOON)
    assert ids(result) == ["a"]
    assert (result.counts.from_the_future, result.counts.skew) == (1, 90)
    assert "90 s in the future" in result.counts.sentences()[0]


def test_large_files_are_streamed_in_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGE", 1000)
    files = {key(NOON + n * MINUTE): file(*(line(f"{n}-{k}") for k in range(1 + 9 * (n % 2)))) for n in range(6)}
    expected = [f"{n}-{k}" for n in range(6) for k in range(1 + 9 * (n % 2))]
    assert ids(reading(FakeS3(files), workers=2)) == expected


def test_files_are_fetched_no_further_ahead_than_there_are_workers() -> None:
    s3 = FakeS3({key(NOON + n * MINUTE): file(line(str(n))) for n in range(25)})
    result = iter(reading(s3, workers=3))
    next(result)
    assert len(s3.fetched) <= 4


def test_an_empty_range_is_empty() -> None:
    result = reading(FakeS3({}))
    assert (ids(result), result.counts.sentences()) == ([], [])


def test_captures_below_any_prefix_are_read_whatever_the_levels_above_their_year() -> None:
    early, late = NOON - 3 * timedelta(hours=1), NOON + MINUTE
    s3 = FakeS3(
        {
            "old/team/vehicles/Blue/2026/03/01/12/01-00-000-a.jsonl": file(line("in", late)),
            "old/2026/03/01/09/00-00-000-b.jsonl": file(line("early", early)),
            "old/downloaded.jsonl": file(line("undated", NOON)),
            "old/2026/13/41/12/00-00-000-c.jsonl": file(line("no date", NOON)),
            "old/readme.txt": b"hello",
            "older/2026/03/01/12/01-00-000-a.jsonl": file(line("elsewhere", late)),
        }
    )
    captures = CaptureReader(s3, CaptureLocation("bucket", "old/"), NOON, NOON + 30 * MINUTE, now=lambda: NOON)
    assert sorted(ids(captures)) == ["in", "no date", "undated"]
    assert captures.counts.foreign == 1
    assert len(s3.fetched) == 3
