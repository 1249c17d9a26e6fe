"""Faults injected by the admin route, as clients see them."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from tests.emulation.fakes.s3 import fake_s3
from tests.emulation.sagemaker.emulator import Emulator


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with fake_s3() as s3:
        running = Emulator(tmp_path_factory.mktemp("faulty") / "state", s3, ("--stub-model", "0.9", "--faults")).start()
        running.endpoint("a")
        running.endpoint("b")
        yield running
        running.stop()
        assert "Traceback" not in running.log.read_text()


@pytest.fixture(autouse=True)
def no_fault_left(faulty: Emulator) -> Iterator[None]:
    yield
    admin(faulty, "DELETE")


def admin(emulator: Emulator, method: str, body: bytes | None = None) -> tuple[int, Any]:
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{emulator.url}/_scones/faults", body, headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=600) as response:  # noqa: S310
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def inject(emulator: Emulator, **fault: Any) -> None:
    status, response = admin(emulator, "PUT", json.dumps(fault).encode())
    assert status == 200, response


def invoke(emulator: Emulator, endpoint: str = "a", **config: Any) -> Any:
    return emulator.client("sagemaker-runtime", **config).invoke_endpoint(EndpointName=endpoint, Body=b"x")


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        ("throttling", "ThrottlingException", 400),
        ("unavailable", "ServiceUnavailable", 503),
        ("internal", "InternalFailure", 500),
        ("dependency", "InternalDependencyException", 530),
        ("not-ready", "ModelNotReadyException", 429),
        ("denied", "AccessDeniedException", 403),
    ],
)
def test_an_injected_error_is_awss_own(faulty: Emulator, kind: str, code: str, status: int) -> None:
    inject(faulty, kind=kind)
    with pytest.raises(ClientError) as caught:
        invoke(faulty)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert caught.value.response["Error"]["Message"]
    # botocore has no class for these two, neither here nor on AWS.
    plain = code in {"ThrottlingException", "AccessDeniedException"}
    assert type(caught.value).__name__ == ("ClientError" if plain else code)


def test_boto3s_own_retries_outlast_a_fault_that_passes(faulty: Emulator) -> None:
    inject(faulty, kind="throttling", count=2)
    response = invoke(faulty, retries={"total_max_attempts": 4, "mode": "standard"})
    assert response["ResponseMetadata"]["RetryAttempts"] == 2


@pytest.mark.parametrize(
    ("kind", "content_type", "body"),
    [
        ("nan", "application/json", b"[NaN, NaN]"),
        ("wrong-length", "application/json", b"[0.2, 0.3, 0.5]"),
        ("html", "text/html", b"<html>"),
    ],
)
def test_an_injected_response_replaces_the_models(faulty: Emulator, kind: str, content_type: str, body: bytes) -> None:
    inject(faulty, kind=kind)
    response = invoke(faulty)
    assert response["ContentType"] == content_type
    assert response["Body"].read().startswith(body)


def test_latency_delays_the_answer(faulty: Emulator) -> None:
    inject(faulty, kind="latency", seconds=0.4)
    began = time.monotonic()
    assert invoke(faulty)["Body"].read() == b"[0.9, 0.1]"
    assert time.monotonic() - began >= 0.4


def test_a_hang_lasts_until_the_client_gives_up(faulty: Emulator) -> None:
    inject(faulty, kind="hang")
    with pytest.raises(ReadTimeoutError):
        invoke(faulty, read_timeout=0.5)


def test_a_reset_breaks_the_connection(faulty: Emulator) -> None:
    inject(faulty, kind="reset")
    with pytest.raises(ConnectionClosedError):
        invoke(faulty)


def test_half_an_answer_ends_in_the_middle_of_its_body(faulty: Emulator) -> None:
    inject(faulty, kind="half")
    with pytest.raises((IncompleteReadError, ResponseStreamingError)):
        invoke(faulty)["Body"].read()


def test_a_fault_strikes_its_endpoint_its_share_and_its_count(faulty: Emulator) -> None:
    inject(faulty, kind="internal", endpoint="a", share=0.5, count=10, seed=7)

    def outcomes(endpoint: str) -> list[bool]:
        result = []
        for _ in range(40):
            try:
                result.append(bool(invoke(faulty, endpoint)))
            except ClientError:
                result.append(False)
        return result

    assert all(outcomes("b"))
    first = outcomes("a")
    assert first.count(False) == 10
    assert first[:4].count(False) < 4
    assert admin(faulty, "GET")[1]["faults"] == [
        {"kind": "internal", "endpoint": "a", "share": 0.5, "seconds": 1.0, "count": 10, "seed": 7, "struck": 10}
    ]
    assert admin(faulty, "DELETE") == (200, {"faults": []})
    inject(faulty, kind="internal", endpoint="a", share=0.5, count=10, seed=7)
    assert outcomes("a") == first


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"kind": "fire"}',
        b'{"kind": "nan", "share": 2}',
        b'{"kind": "nan", "share": NaN}',
        b'{"kind": "nan", "share": "1"}',
        b'{"kind": "nan", "seed": 1.5}',
        b'{"kind": "nan", "shaer": 1}',
        b'{"kind": "latency", "seconds": ' + b"9" * 400 + b"}",
    ],
)
def test_a_fault_that_is_none_is_refused(faulty: Emulator, body: bytes) -> None:
    status, response = admin(faulty, "PUT", body)
    assert (status, list(response)) == (400, ["message"])


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_the_route_is_not_there_unless_enabled(stub_emulator: Emulator, method: str) -> None:
    assert admin(stub_emulator, method, b'{"kind": "nan"}')[0] == 404
