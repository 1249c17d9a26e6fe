import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.capture.record import parse
from monitoring.errors import MalformedRecord, MissingOutput
from tests.monitoring.captures import NOON, line, record

FIELDS = st.sampled_from(["captureData", "eventMetadata", "endpointOutput", "data", "eventId", "inferenceTime"])


SCALARS = st.none() | st.booleans() | st.floats() | st.text()


def test_a_record_keeps_what_was_asked_and_answered() -> None:
    sent = b"\x89PNG\r\n\x1a\n"
    result = parse(line("e", NOON, "[0.25, 0.75]", image=sent, inferenceId="mine"))
    assert (result.time, result.event_id, result.inference_id) == (NOON, "e", "mine")
    assert (result.inferences, result.label, result.confidence) == ((0.25, 0.75), 1, 0.75)
    assert (result.image, result.content_type) == (sent, "application/x-image")


def test_an_input_that_was_not_captured_is_none() -> None:
    result = parse(line("e", image=None))
    assert (result.image, result.content_type) == (None, None)


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
def test_every_form_of_an_prediction_is_read(answer: str, encoding: str) -> None:
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
def test_an_prediction_that_is_no_pair_of_probabilities_is_malformed(answer: str) -> None:
    with pytest.raises(MalformedRecord):
        parse(line("e", NOON, answer))


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "noon", 12, None])
def test_a_time_that_is_none_or_outside_the_calendar_is_malformed(time: object) -> None:
    body = record("e", NOON)
    body["eventMetadata"]["inferenceTime"] = time
    with pytest.raises(MalformedRecord):
        parse(json.dumps(body).encode())


@settings(deadline=None)
@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(FIELDS, inner)))
def test_any_other_json_is_refused_by_name_and_nothing_worse(content: Any) -> None:
    body = {"eventVersion": "0", **content} if isinstance(content, dict) else content
    with pytest.raises((MalformedRecord, MissingOutput)):
        parse(json.dumps(body).encode())
