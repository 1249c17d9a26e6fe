import base64
import json
import socket
from types import SimpleNamespace

import pytest
from clients import runtime_at
from endpoint_stub import Answer, EndpointStub, failure
from errors import (
    ClassifyError,
    EndpointNotFound,
    EndpointTimeout,
    EndpointUnavailable,
    InvalidConfiguration,
    InvalidInput,
    MalformedInference,
)
from handler import MAX_IMAGE_BYTES, classify, handler, parse_image
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CONTEXT = SimpleNamespace(aws_request_id="4f2b")
IMAGE = bytes(range(256)) * 3

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def event(image: bytes = IMAGE, **fields: object) -> dict[str, object]:
    image_data = base64.b64encode(image).decode()
    return {"s3_bucket": "b", "s3_key": "a b.png", "image_data": image_data, "content_type": "image/png", **fields}


def test_the_answer_leaves_with_the_key_and_without_the_image(endpoint: EndpointStub) -> None:
    assert handler(event(), CONTEXT) == {
        "s3_bucket": "b",
        "s3_key": "a b.png",
        "inferences": [0.97, 0.03],
        "probably_neither": None,
    }
    ((path, headers, body),) = endpoint.requests
    assert path == "/endpoints/vehicles/invocations"
    assert body == IMAGE
    assert headers["content-type"] == "image/png"
    assert headers["accept"] == "application/json"
    assert headers["x-amzn-sagemaker-inference-id"] == "4f2b"


@pytest.mark.parametrize(
    ("attributes", "probably_neither"),
    [("probably-neither=true", True), ("probably-neither=false", False), ("trace=7", None), ("", None)],
)
def test_a_model_that_knows_neither_says_so_beside_the_probabilities(
    endpoint: EndpointStub, attributes: str, probably_neither: bool | None
) -> None:
    endpoint.answer = Answer(b"[0.52, 0.48]", attributes=attributes)
    assert handler(event(), CONTEXT)["probably_neither"] is probably_neither


def test_without_a_context_no_inference_id_is_sent(endpoint: EndpointStub, capsys: pytest.CaptureFixture[str]) -> None:
    handler(event(), None)
    ((_, headers, _),) = endpoint.requests
    assert "x-amzn-sagemaker-inference-id" not in headers
    assert json.loads(capsys.readouterr().out)["request_id"] == ""


def test_a_json_line_is_read_as_well(endpoint: EndpointStub) -> None:
    endpoint.answer = Answer(b'{"prediction": [0.25, 0.75]}\n')
    assert handler(event(content_type="image/jpeg"), CONTEXT)["inferences"] == [0.25, 0.75]


def test_a_missing_endpoint_is_named(endpoint: EndpointStub) -> None:
    endpoint.answer = failure("ValidationError", 400, Message="Endpoint vehicles of account 1 not found.")
    with pytest.raises(EndpointNotFound, match="endpoint 'vehicles' does not exist"):
        handler(event(), CONTEXT)


@pytest.mark.parametrize(("error", "status"), [("ServiceUnavailable", 503), ("ThrottlingException", 400)])
def test_an_outage_is_named_after_a_single_call(error: str, status: int, endpoint: EndpointStub) -> None:
    endpoint.answer = failure(error, status)
    with pytest.raises(EndpointUnavailable, match=f"SageMaker responded {status} '{error}', 'No.'"):
        handler(event(), CONTEXT)
    assert len(endpoint.requests) == 1


def test_an_answer_that_breaks_off_is_worth_a_retry(endpoint: EndpointStub) -> None:
    endpoint.answer = Answer(b"[0.97, 0.0", cut_short=True)
    with pytest.raises(EndpointUnavailable):
        handler(event(), CONTEXT)


def test_a_garbage_answer_is_malformed(endpoint: EndpointStub) -> None:
    endpoint.answer = Answer(b"<html>")
    with pytest.raises(MalformedInference):
        handler(event(), CONTEXT)


def test_an_endpoint_that_hangs_is_a_timeout(endpoint: EndpointStub) -> None:
    endpoint.release.clear()
    with pytest.raises(EndpointTimeout, match="endpoint 'vehicles' did not respond in time"):
        classify(event(), runtime_at(endpoint.server_port, read_timeout=0.2), "vehicles")
    endpoint.release.set()


def test_an_endpoint_that_is_not_there_is_unavailable(endpoint: EndpointStub) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: every connection is refused
        with pytest.raises(EndpointUnavailable, match="could not be reached"):
            classify(event(), runtime_at(taken.getsockname()[1]), "vehicles")


def test_a_warm_function_keeps_its_connection_and_nothing_else(endpoint: EndpointStub) -> None:
    endpoint.answer = Answer(b"[0.9, 0.1]")
    first = handler(event(b"first"), CONTEXT)
    endpoint.answer = Answer(b"[0.2, 0.8]")
    second = handler(event(b"second"), CONTEXT)
    assert (first["inferences"], second["inferences"]) == ([0.9, 0.1], [0.2, 0.8])
    assert [body for _, _, body in endpoint.requests] == [b"first", b"second"]
    assert len(endpoint.connections) == 1


@pytest.mark.parametrize("name", ["", "-a", "a-", "a_b", "a/b", "a b", "a\nb", "\u00e9", "a" * 64, "a-" * 31 + "aa"])
def test_a_name_that_no_endpoint_can_have_is_a_configuration_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENDPOINT_NAME", name)
    with pytest.raises(InvalidConfiguration, match=r"^ENDPOINT_NAME must be 1 to 63 letters"):
        handler(event(), CONTEXT)


def test_a_missing_name_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENDPOINT_NAME", raising=False)
    with pytest.raises(InvalidConfiguration, match="got nothing: set its name"):
        handler(event(), CONTEXT)


@pytest.mark.parametrize("name", ["a", "a" * 63, "a--b-1"])
def test_every_name_that_sagemaker_allows_is_allowed(
    name: str, endpoint: EndpointStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDPOINT_NAME", name)
    handler(event(), CONTEXT)
    assert endpoint.requests[0][0] == f"/endpoints/{name}/invocations"


@pytest.mark.parametrize("broken", [None, [], "text", 3, True])
def test_an_event_that_is_no_object_is_invalid_input(broken: object, endpoint: EndpointStub) -> None:
    with pytest.raises(InvalidInput, match="the event must be a JSON object"):
        handler(broken, CONTEXT)


WRAPPED = [
    ({"statusCode": 200, "body": event()}, r'the fields are under body: set "InputPath": "\$\.body"'),
    ({"statusCode": 200, "body": json.dumps(event())}, "the fields are in body, a JSON text"),
    ({"StatusCode": 200, "Payload": event()}, r'the fields are under Payload: set "InputPath": "\$\.Payload"'),
]


@pytest.mark.parametrize(("wrapped", "difference"), WRAPPED)
def test_an_event_that_another_solution_wrapped_is_refused_with_the_difference(
    wrapped: object, difference: str, endpoint: EndpointStub
) -> None:
    with pytest.raises(InvalidInput, match=f"^s3_bucket must be a non-empty text, got nothing: {difference}"):
        handler(wrapped, CONTEXT)


@pytest.mark.parametrize(
    ("beginning", "content_type"), [(b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff\xe0", "image/jpeg")]
)
def test_without_a_content_type_the_bytes_decide(beginning: bytes, content_type: str, endpoint: EndpointStub) -> None:
    published = event(beginning + IMAGE, inferences=[])
    del published["content_type"]
    handler(published, CONTEXT)
    ((_, headers, _),) = endpoint.requests
    assert headers["content-type"] == content_type


def test_without_a_content_type_other_bytes_are_invalid_input(endpoint: EndpointStub) -> None:
    published = event(b"GIF89a")
    del published["content_type"]
    with pytest.raises(InvalidInput, match="neither a JPEG nor a PNG, and content_type is missing"):
        handler(published, CONTEXT)
    assert endpoint.requests == []


@pytest.mark.parametrize("field", ["s3_bucket", "s3_key", "content_type"])
@pytest.mark.parametrize("value", [None, "", 7, False, ["a"], {"a": 1}])
def test_a_field_that_is_no_text_is_invalid_input_and_named(field: str, value: object, endpoint: EndpointStub) -> None:
    with pytest.raises(InvalidInput, match=f"^{field} must be a non-empty text, got "):
        handler({**event(), field: value}, CONTEXT)


@pytest.mark.parametrize("field", ["s3_bucket", "s3_key", "content_type"])
def test_half_of_a_surrogate_pair_is_invalid_input_and_named_as_one(field: str, endpoint: EndpointStub) -> None:
    with pytest.raises(InvalidInput, match=rf"^{field} must be valid Unicode, got '\\ud800\.jpg', with half of a"):
        handler({**event(), field: "\ud800.jpg"}, CONTEXT)


@pytest.mark.parametrize(
    "value", ["image/gif", "text/plain", "image/png\r\nX-Evil: 1", "IMAGE/PNG", "application/x-image"]
)
def test_only_jpeg_and_png_are_sent(value: str, endpoint: EndpointStub) -> None:
    with pytest.raises(InvalidInput, match=r"^content_type must be one of"):
        handler(event(content_type=value), CONTEXT)
    assert endpoint.requests == []


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        7,
        ["a"],
        "not base64!",
        "YQ",
        "YQ=",
        "YQ==YQ==",
        "YQ==\n",
        "=YQ=",
        "\u00e9\u00e9\u00e9\u00e9",
        "\ud800abc",
    ],
)
def test_image_data_that_is_no_base64_is_invalid_input_and_never_repeated(
    value: object, endpoint: EndpointStub
) -> None:
    with pytest.raises(InvalidInput, match=r"^image_data ") as refusal:
        handler(event(image_data=value), CONTEXT)
    if isinstance(value, str) and value:
        assert value not in str(refusal.value)
    assert endpoint.requests == []


def test_an_image_of_the_limit_is_decoded_and_one_beyond_is_not() -> None:
    assert len(parse_image(base64.b64encode(bytes(MAX_IMAGE_BYTES)).decode())) == MAX_IMAGE_BYTES
    with pytest.raises(InvalidInput, match="at most 6000000 bytes"):
        parse_image(base64.b64encode(bytes(MAX_IMAGE_BYTES + 1)).decode())


def test_one_line_of_json_is_logged_without_the_image(
    endpoint: EndpointStub, capsys: pytest.CaptureFixture[str]
) -> None:
    key = 'a"\n{"state": "forged"}\r\u2028.png'
    sent = event(s3_key=key)
    handler(sent, CONTEXT)
    out, err = capsys.readouterr()
    (line,) = out.splitlines()
    assert json.loads(line) == {
        "state": "ClassifyImageData",
        "request_id": "4f2b",
        "s3_bucket": "b",
        "s3_key": key,
        "endpoint": "vehicles",
        "image_bytes": len(IMAGE),
        "inferences": [0.97, 0.03],
        "probably_neither": None,
    }
    assert str(sent["image_data"])[:24] not in out
    assert err == ""


def answer_or_refusal(anything: object) -> object:
    try:
        return handler(anything, CONTEXT)
    except ClassifyError as refusal:
        return str(refusal)


ANSWERS = st.binary() | JSON.map(lambda answer: json.dumps(answer).encode())
FIELDS = {
    "s3_bucket": st.text() | JSON,
    "s3_key": st.text() | JSON,
    "image_data": st.binary().map(lambda data: base64.b64encode(data).decode()) | st.text() | JSON,
    "content_type": st.sampled_from(["image/png", "image/jpeg"]) | JSON,
}


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(JSON | st.fixed_dictionaries(FIELDS), ANSWERS)
def test_any_event_and_any_answer_give_a_result_or_a_named_error(
    endpoint: EndpointStub, anything: object, body: bytes
) -> None:
    endpoint.answer = Answer(body)
    response = answer_or_refusal(anything)
    json.dumps(response, ensure_ascii=False, allow_nan=False).encode()
    if isinstance(response, str):
        assert "\n" not in response
        assert len(response) < 1000


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.integers(400, 599),
    st.text(alphabet=st.characters(codec="ascii", categories=["L", "N"])),
    st.binary() | JSON.map(lambda answer: json.dumps(answer).encode()),
)
def test_any_error_answer_gives_a_named_error(endpoint: EndpointStub, status: int, code: str, body: bytes) -> None:
    endpoint.answer = Answer(body, status, code)
    assert isinstance(answer_or_refusal(event()), str)
