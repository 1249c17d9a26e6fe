"""Whatever is sent, the answer is one of AWS's: no 5xx, no stack trace, nothing outside the state directory."""

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import botocore.session
import pytest
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulation.sagemaker import validation
from emulation.sagemaker.control.control_plane import OPERATIONS
from tests.emulation.sagemaker.emulator import Emulator
from tests.quality.fuzz.emulator import attack
from tests.quality.fuzz.emulator_requests import sensible

MODEL = botocore.session.get_session().get_service_model("sagemaker")
NAMES = ["a", "b", "c"]
KINDS = ("model", "endpoint", "endpoint-config", "training-job", "hub")
CANDIDATES = [
    *NAMES,
    *(f"arn:aws:sagemaker:us-east-1:000000000000:{kind}/a" for kind in KINDS),
    "arn:aws:iam::000000000000:role/r",
    "s3://b/key",
    "text/csv",
]
SETTINGS = settings(
    max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def fitting(  # noqa: PLR0911 - one for each type
    shape: Shape | None, *, strict: bool, depth: int = 0
) -> st.SearchStrategy[Any]:
    """Values of the shape's type; strict ones keep its constraints, as far as these candidates can."""
    if isinstance(shape, StructureShape):
        members = {name: fitting(member, strict=strict, depth=depth + 1) for name, member in shape.members.items()}
        required = {name: members[name] for name in shape.required_members}
        optional = {name: value for name, value in members.items() if name not in required}
        return st.fixed_dictionaries(required, optional=optional if depth < 3 else {})
    if isinstance(shape, ListShape):
        least, most = shape.metadata.get("min", 0), min(shape.metadata.get("max", 3), 3)
        return st.lists(
            fitting(shape.member, strict=strict, depth=depth + 1), min_size=least if strict else 0, max_size=most
        )
    if isinstance(shape, MapShape):
        return st.dictionaries(st.sampled_from(["KEY", "PYTHONPATH"]), st.text(max_size=5), max_size=2)
    if isinstance(shape, StringShape):
        good = shape.enum or [text for text in CANDIDATES if not list(validation.violations(text, shape))]
        return st.sampled_from(good or CANDIDATES) if strict else st.sampled_from(CANDIDATES) | st.text(max_size=80)
    if shape is None or shape.type_name == "boolean":
        return st.booleans()
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 100)
    if shape.type_name in {"float", "double", "timestamp"}:
        return st.floats(least, 1e9) if strict else st.floats(allow_nan=False, allow_infinity=False)
    return st.integers(least, max(most, least)) if strict else st.integers()


def requests_of(operation: str) -> st.SearchStrategy[tuple[str, Any]]:
    shape = MODEL.operation_model(operation).input_shape
    return st.tuples(st.just(operation), fitting(shape, strict=True) | fitting(shape, strict=False))


requests = st.sampled_from(sorted(OPERATIONS)).flatmap(requests_of)


@pytest.fixture(scope="module")
def connection(stub_emulator: Emulator) -> Iterator[http.client.HTTPConnection]:
    stub_emulator.endpoint("a")
    opened = http.client.HTTPConnection("127.0.0.1", stub_emulator.port, timeout=600)
    yield opened
    opened.close()
    assert "Traceback" not in stub_emulator.log.read_text()
    assert {path.name for path in stub_emulator.state_dir.iterdir()} <= {
        "lock",
        "records",
        "captures",
        "logs",
        "training",
    }
    assert [path.name for path in stub_emulator.state_dir.parent.iterdir() if path.suffix != ".log"] == ["state"]


def target(operation: str) -> dict[str, str]:
    return {"content-type": "application/x-amz-json-1.1", "x-amz-target": f"SageMaker.{operation}"}


def post(connection: http.client.HTTPConnection, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    connection.request("POST", path, body, headers)
    with connection.getresponse() as response:
        return response.status, response.read()


@SETTINGS
@given(request=requests)
def test_requests_of_the_right_shape_or_nearly_so_are_answered(
    connection: http.client.HTTPConnection, request: tuple[str, Any]
) -> None:
    operation, body = request
    status, response = post(connection, "/", json.dumps(body).encode(), target(operation))
    assert status in {200, 400}
    if status == 400:
        assert json.loads(response)["__type"] in {
            "ValidationException",
            "SerializationException",
            "ResourceLimitExceeded",
            "ResourceInUse",
        }


@settings(SETTINGS, max_examples=30)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(sorted([*OPERATIONS, "Invoke"])), st.sampled_from(NAMES), st.sampled_from(NAMES)),
        min_size=10,
        max_size=40,
    )
)
def test_operations_in_any_order_are_answered(
    connection: http.client.HTTPConnection, steps: list[tuple[str, str, str]]
) -> None:
    for operation, name, other in steps:
        if operation == "Invoke":
            status, response = post(connection, f"/endpoints/{name}/invocations", b"x", {})
        else:
            body = json.dumps(sensible(operation, name, other)).encode()
            status, response = post(connection, "/", body, target(operation))
        assert status in {200, 400}, (operation, response)


@SETTINGS
@given(operation=st.sampled_from(sorted(OPERATIONS)), body=anything.map(json.dumps).map(str.encode) | st.binary())
def test_bodies_of_any_kind_are_answered(connection: http.client.HTTPConnection, operation: str, body: bytes) -> None:
    status, response = post(connection, "/", body, target(operation))
    assert status in {200, 400}
    assert b"Traceback" not in response


@SETTINGS
@given(
    name=st.sampled_from(NAMES) | st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=70),
    body=st.binary(max_size=200),
    headers=st.dictionaries(
        st.sampled_from(["content-type", "accept", "x-amzn-sagemaker-inference-id", "x-amzn-sagemaker-target-variant"]),
        st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=100),
    ),
)
def test_invocations_of_any_kind_are_answered(
    connection: http.client.HTTPConnection, name: str, body: bytes, headers: dict[str, str]
) -> None:
    status, response = post(connection, f"/endpoints/{quote(name, safe='')}/invocations", body, headers)
    assert status in {200, 400, 404}
    assert b"Traceback" not in response


def test_a_thousand_requests_of_the_benchmark_find_nothing(stub_emulator: Emulator) -> None:
    report = attack(stub_emulator, 1000, seed=1)
    assert (report.failures, report.traces) == ([], [])
    assert report.answers["200"] > 50
