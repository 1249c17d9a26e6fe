import json
import math
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from errors import (
    FilterError,
    InvalidConfiguration,
    InvalidInput,
    MalformedInference,
    ThresholdConfidenceNotMet,
)
from handler import handler
from hypothesis import given
from hypothesis import strategies as st
from settings import parse_threshold

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
CONTEXT = SimpleNamespace(aws_request_id="4f2b")


def event(*inferences: object, **fields: object) -> dict[str, object]:
    return {"s3_bucket": "images", "s3_key": "in/a b.png", "inferences": list(inferences), **fields}


def answer_or_refusal(anything: object) -> object:
    try:
        return handler(anything, CONTEXT)
    except FilterError as refusal:
        return str(refusal)


def test_a_sure_bicycle_leaves_with_label_confidence_and_threshold() -> None:
    assert handler(event(0.97, 0.03), CONTEXT) == {
        "s3_bucket": "images",
        "s3_key": "in/a b.png",
        "inferences": [0.97, 0.03],
        "label": "bicycle",
        "confidence": 0.97,
        "threshold": 0.94,
    }


def test_the_second_probability_is_the_motorcycles() -> None:
    assert handler(event(0.01, 0.99), CONTEXT)["label"] == "motorcycle"


def test_other_labels_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABELS", "apple,sweet_pepper")
    assert [handler(event(*given), CONTEXT)["label"] for given in ((0.97, 0.03), (0.03, 0.97))] == [
        "apple",
        "sweet_pepper",
    ]


@pytest.mark.parametrize("text", ["", "apple", "apple,apple", "a,b,c", "apple,", 'apple,"', "apple, orange", "a,ü"])
def test_labels_that_are_not_two_plain_names_are_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABELS", text)
    with pytest.raises(InvalidConfiguration, match="LABELS must be two"):
        handler(event(0.97, 0.03), CONTEXT)


@pytest.mark.parametrize("inferences", [(0.94, 0.06), (0.06, 0.94), (1, 0), (0.94 + 1e-9, 0.06)])
def test_confidence_at_or_above_the_threshold_passes(inferences: tuple[float, float]) -> None:
    assert handler(event(*inferences), CONTEXT)["confidence"] == max(inferences)


@pytest.mark.parametrize("confidence", [math.nextafter(0.94, 0), 0.5, 0.9399999976158142])
def test_confidence_below_the_threshold_is_refused_by_name(confidence: float) -> None:
    with pytest.raises(ThresholdConfidenceNotMet) as refusal:
        handler(event(confidence, 1 - confidence), CONTEXT)
    assert str(refusal.value).startswith(f"bicycle with confidence {confidence} is below the threshold 0.94")


def test_equal_probabilities_are_called_a_bicycle_and_not_met() -> None:
    with pytest.raises(ThresholdConfidenceNotMet, match=r"bicycle with confidence 0\.5 "):
        handler(event(0.5, 0.5), CONTEXT)


def test_the_environment_moves_the_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THRESHOLD", "0.6")
    assert handler(event(0.6, 0.4), CONTEXT)["threshold"] == 0.6
    with pytest.raises(ThresholdConfidenceNotMet):
        handler(event(0.59, 0.41), CONTEXT)


@pytest.mark.parametrize("text", ["", "94", "0.49", "1.01", "-1", "nan", "inf", "high", "0,94", "0.9\n4", "9" * 5000])
def test_an_unusable_threshold_is_named_with_its_rule(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THRESHOLD", text)
    with pytest.raises(InvalidConfiguration, match=r"^THRESHOLD must be a number in 0\.5\.\.1, got '.*0\.94$"):
        handler(event(0.99, 0.01), CONTEXT)


@pytest.mark.parametrize("text", ["0.5", "1", " 0.94 "])
def test_both_ends_of_the_range_are_usable(text: str) -> None:
    assert parse_threshold(text) == float(text)


@pytest.mark.parametrize(
    "inferences",
    [
        [math.nan, 0.5],
        [0.5, math.nan],
        [math.inf, 0.0],
        [-0.1, 1.1],
        [1.0000001, 0.0],
        [0.97, 0.04],
        [0.94, 0.058],
        [0.97],
        [0.97, 0.02, 0.01],
        [],
        [True, False],
        ["0.97", "0.03"],
        [[0.97, 0.03]],
        [10**400, 0],
        [None, 1],
        "0.97",
        {"prediction": [0.97, 0.03]},
        None,
    ],
)
def test_what_is_not_two_probabilities_is_malformed_never_a_pass(inferences: object) -> None:
    with pytest.raises(MalformedInference, match="check the endpoint's model"):
        handler({**event(), "inferences": inferences}, CONTEXT)


@pytest.mark.parametrize("text", ["[0.97, 0.03]", ' {"prediction": [0.97, 0.03]}', "[", "[NaN"])
def test_inferences_as_a_json_text_are_refused_with_the_difference(text: str) -> None:
    with pytest.raises(MalformedInference, match=r"^inferences is a JSON text: send the list .* json\.loads"):
        handler({**event(), "inferences": text}, CONTEXT)


WRAPPED = [
    ({"statusCode": 200, "body": event(0.97, 0.03)}, r'the fields are under body: set "InputPath": "\$\.body"'),
    ({"statusCode": 200, "body": json.dumps(event(0.97, 0.03))}, "the fields are in body, a JSON text"),
    ({"StatusCode": 200, "Payload": event()}, r'the fields are under Payload: set "InputPath": "\$\.Payload"'),
]


@pytest.mark.parametrize(("wrapped", "difference"), WRAPPED)
def test_an_event_that_another_solution_wrapped_is_refused_with_the_difference(
    wrapped: object, difference: str
) -> None:
    with pytest.raises(InvalidInput, match=f"^the field inferences is missing: {difference}"):
        handler(wrapped, CONTEXT)


@pytest.mark.parametrize("inferences", [(0.9995, 0.0), (0.97, 0.0305)])
def test_rounding_of_the_sum_within_a_thousandth_is_tolerated(inferences: tuple[float, float]) -> None:
    assert handler(event(*inferences), CONTEXT)["inferences"] == list(inferences)


@pytest.mark.parametrize("field", ["s3_bucket", "s3_key"])
@pytest.mark.parametrize("value", [None, "", 7, ["a"], {"a": 1}])
def test_a_name_that_is_no_text_is_invalid_input_and_named(field: str, value: object) -> None:
    with pytest.raises(InvalidInput, match=f"^{field} must be a non-empty text, got "):
        handler(event(0.97, 0.03, **{field: value}), CONTEXT)


@pytest.mark.parametrize("field", ["s3_bucket", "s3_key"])
def test_half_of_a_surrogate_pair_is_invalid_input_and_named_as_one(field: str) -> None:
    with pytest.raises(InvalidInput, match=rf"^{field} must be valid Unicode, got '\\ud800\.jpg', with half of a"):
        handler(event(0.97, 0.03, **{field: "\ud800.jpg"}), CONTEXT)


@pytest.mark.parametrize(
    ("confidence", "threshold", "shown"),
    [(0.5003908276557922, 0.94, "0.5004"), (0.939999, 0.94, "0.939999"), (0.7, 0.94, "0.7")],
)
def test_a_refusal_rounds_the_confidence_unless_it_would_reach_the_threshold(
    confidence: float, threshold: float, shown: str
) -> None:
    with pytest.raises(ThresholdConfidenceNotMet, match=rf"bicycle with confidence {shown} is below the threshold"):
        handler(event(confidence, 1 - confidence, threshold=threshold), CONTEXT)


@pytest.mark.parametrize("missing", ["s3_bucket", "s3_key", "inferences"])
def test_a_missing_field_is_invalid_input_and_named(missing: str) -> None:
    incomplete = event(0.97, 0.03)
    del incomplete[missing]
    with pytest.raises(InvalidInput, match=missing):
        handler(incomplete, CONTEXT)


@pytest.mark.parametrize("broken", [None, [], "text", 3, True])
def test_an_event_that_is_no_object_is_invalid_input(broken: object) -> None:
    with pytest.raises(InvalidInput, match="the event must be a JSON object"):
        handler(broken, CONTEXT)


def test_further_fields_are_dropped() -> None:
    assert "image_data" not in handler(event(0.97, 0.03, image_data="aGk="), CONTEXT)


@pytest.mark.parametrize(("inferences", "passed"), [((0.97, 0.03), True), ((0.6, 0.4), False)])
def test_each_decision_logs_one_line_of_json(
    inferences: tuple[float, float], passed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        handler(event(*inferences, s3_key='a"\n{}'), CONTEXT)
    except ThresholdConfidenceNotMet:
        assert not passed
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "state": "FilterInferences",
        "request_id": "4f2b",
        "label": "bicycle",
        "confidence": inferences[0],
        "threshold": 0.94,
        "passed": passed,
    }


def test_a_message_never_breaks_its_line_nor_repeats_a_flood() -> None:
    with pytest.raises(InvalidConfiguration) as refusal:
        parse_threshold("\n" * 10_000)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 500


@given(JSON | st.fixed_dictionaries({"s3_bucket": st.text(), "s3_key": st.text(), "inferences": JSON}))
def test_any_event_is_answered_or_refused_by_name(anything: object) -> None:
    response = answer_or_refusal(anything)
    json.dumps(response, ensure_ascii=False, allow_nan=False).encode()
    if isinstance(response, str):
        assert "\n" not in response
        assert len(response) < 500


@given(st.floats(0, 1), st.floats(-0.0009, 0.0009))
def test_whatever_passes_is_at_least_the_threshold_and_the_larger_of_the_two(bicycle: float, error: float) -> None:
    pair = [bicycle, min(1.0, max(0.0, 1 - bicycle + error))]
    if max(pair) >= 0.94:
        assert handler(event(*pair), CONTEXT)["confidence"] == max(pair)
    else:
        with pytest.raises(ThresholdConfidenceNotMet):
            handler(event(*pair), CONTEXT)


@pytest.mark.interpreter
def test_importing_the_handler_loads_the_standard_library_and_its_own_files() -> None:
    code = "import sys, os; before = set(sys.modules); import handler; print(*sorted(set(sys.modules) - before))"
    service = Path(__file__).parents[1]
    loaded = subprocess.run([sys.executable, "-c", code], cwd=service, capture_output=True, text=True, check=True)
    modules = {name.partition(".")[0] for name in loaded.stdout.split()}
    assert modules - sys.stdlib_module_names == {"errors", "handler", "settings"}


@pytest.mark.parametrize(("threshold", "passes"), [(0.5, True), (0.9, True), (0.91, False), (1, False)])
def test_an_execution_may_bring_its_own_threshold(
    threshold: float, passes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THRESHOLD", "0.75")
    if passes:
        assert handler(event(0.9, 0.1, threshold=threshold), CONTEXT)["threshold"] == threshold
    else:
        with pytest.raises(ThresholdConfidenceNotMet, match=str(threshold)):
            handler(event(0.9, 0.1, threshold=threshold), CONTEXT)


@pytest.mark.parametrize("threshold", [0.49, 1.01, math.nan, math.inf, 10**400, True, "0.9", None, [0.9]])
def test_a_threshold_of_its_own_that_is_unusable_is_invalid_input(threshold: object) -> None:
    with pytest.raises(InvalidInput, match="threshold"):
        handler(event(1, 0, threshold=threshold), CONTEXT)
