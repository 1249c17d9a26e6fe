import json
from itertools import count

import pytest
from endpoint import parse_probabilities
from errors import ClassifyError, MalformedInference
from hypothesis import given
from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("prediction") | st.text(), inner, max_size=2),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"[0.9388, 0.0612]", [0.9388, 0.0612]),
        (b'{"prediction": [0.25, 0.75]}', [0.25, 0.75]),
        (b'{"prediction": [0.25, 0.75]}\n', [0.25, 0.75]),
        (b" [1, 0]\r\n", [1.0, 0.0]),
        (b"[1e-30, 1.0]", [1e-30, 1.0]),
        (b"[0.9995, 0.0]", [0.9995, 0.0]),
        (b"[0.97, 0.0305]", [0.97, 0.0305]),
    ],
)
def test_a_bare_array_and_a_json_line_are_both_read(body: bytes, expected: list[float]) -> None:
    result = parse_probabilities(body)
    assert result == expected
    assert all(type(value) is float for value in result)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "0 bytes is not JSON"),
        (b"<html>busy</html>", "17 bytes is not JSON"),
        (b"\xff\xfe\x00", "3 bytes is not JSON"),
        (b"0.9388,0.0612", "not JSON"),
        (b"[0.9, 0.1]\n[0.8, 0.2]\n", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"9" * 10_000, "not JSON"),
        (b"null", "two probabilities, got nothing"),
        (b"0.97", "two probabilities, got 0.97"),
        (b'"bicycle"', "two probabilities, got 'bicycle'"),
        (b"{}", "two probabilities, got nothing"),
        (b'{"prediction": 0}', "two probabilities, got 0"),
        (b'{"predictions": [0.9, 0.1]}', "two probabilities, got nothing"),
        (b"[]", "got a list of 0"),
        (b"[1.0]", "got a list of 1"),
        (b"[[0.9, 0.1]]", "got a list of 1"),
        (b"[0.5, 0.25, 0.25]", "got a list of 3"),
        (b"[NaN, 0.5]", "probability 0 must be in 0..1, got nan"),
        (b"[0.5, NaN]", "probability 1 must be in 0..1, got nan"),
        (b"[Infinity, 0]", "got inf"),
        (b"[1.5, -0.5]", "got 1.5"),
        (b"[-0.5, 1.5]", "got -0.5"),
        (b"[true, false]", "got True"),
        (b'["0.9", "0.1"]', "got '0.9'"),
        (b"[null, 1]", "got nothing"),
        (b"[[0.9], [0.1]]", "got a value of type list"),
        (b"[1" + b"0" * 400 + b", 0]", "got a value of type int"),
        (b"[0.9, 0.2]", r"must sum to 1 within 0.001, got \[0.9, 0.2\]"),
        (b"[0.5, 0.49]", "must sum to 1"),
        (b"[0, 0]", "must sum to 1"),
    ],
    ids=count(),  # some of these bytes are 100,000
)
def test_anything_else_is_malformed_and_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(MalformedInference, match=reason) as refusal:
        parse_probabilities(body)
    assert len(str(refusal.value)) < 300


def read_or_refuse(body: bytes) -> list[float] | None:
    try:
        return parse_probabilities(body)
    except ClassifyError:
        return None


@given(JSON)
def test_any_json_is_two_probabilities_or_refused(answer: object) -> None:
    result = read_or_refuse(json.dumps(answer).encode())
    assert result is None or (len(result) == 2 and sum(result) == pytest.approx(1, abs=0.0011))


@given(st.binary())
def test_any_bytes_are_two_probabilities_or_refused(body: bytes) -> None:
    assert read_or_refuse(body) is None or json.loads(body)


@given(st.floats(0, 1))
def test_every_probability_comes_back_exactly(bicycle: float) -> None:
    pair = [bicycle, 1 - bicycle]
    assert parse_probabilities(json.dumps(pair).encode()) == pair
    assert parse_probabilities(json.dumps({"prediction": pair}).encode() + b"\n") == pair
