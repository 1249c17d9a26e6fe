import asyncio
import base64
import json
import random
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from emulation.sagemaker.capture import CaptureBuffer, CaptureWriter, Invocation
from tests.emulation.fakes.bucket import BucketInMemory
from tests.emulation.fakes.s3 import FakeS3
from tests.emulation.sagemaker.capture_buffers import capture_buffer
from tests.emulation.sagemaker.emulator import CAPTURE_BUCKET, Emulator, capture_config, model_archive, wait_until

KEY = re.compile(
    CAPTURE_BUCKET + r"/data/(?P<endpoint>[^/]+)/AllTraffic/(?P<hour>\d{4}/\d\d/\d\d/\d\d)/"
    r"\d\d-\d\d-\d{3}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.jsonl"
)


def records(s3: FakeS3, endpoint: str) -> list[Any]:
    return [json.loads(line) for line in s3.lines(f"{CAPTURE_BUCKET}/data/{endpoint}/")]


def captured(s3: FakeS3, endpoint: str, count: int) -> list[Any]:
    wait_until(lambda: len(records(s3, endpoint)) >= count)
    return records(s3, endpoint)


def bodies(records: list[Any]) -> list[bytes]:
    return [base64.b64decode(record["captureData"]["endpointInput"]["data"]) for record in records]


def test_a_call_is_captured_in_the_layout_of_aws(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    before = datetime.now(UTC).replace(microsecond=0)
    emulator.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, Body=b"\x89PNG", ContentType="image/png", InferenceId="s3://images/1.png"
    )
    (record,) = captured(emulator.s3, name, 1)
    assert record["captureData"] == {
        "endpointInput": {
            "observedContentType": "image/png",
            "mode": "INPUT",
            "data": base64.b64encode(b"\x89PNG").decode(),
            "encoding": "BASE64",
        },
        "endpointOutput": {
            "observedContentType": "application/json",
            "mode": "OUTPUT",
            "data": "[0.93, 0.07]",
            "encoding": "JSON",
        },
    }
    assert record["eventVersion"] == "0"
    assert record["eventMetadata"]["inferenceId"] == "s3://images/1.png"
    moment = datetime.strptime(record["eventMetadata"]["inferenceTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert before <= moment <= datetime.now(UTC)
    (key,) = [key for key in emulator.s3.objects if name in key and key.startswith(CAPTURE_BUCKET)]
    match = KEY.fullmatch(key)
    assert match is not None
    assert match["endpoint"] == name
    assert match["hour"] == f"{moment:%Y/%m/%d/%H}"


def test_without_content_types_everything_is_base64(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name, CaptureContentTypeHeader={"CsvContentTypes": ["text/csv"]})
    runtime = emulator.client("sagemaker-runtime")
    runtime.invoke_endpoint(EndpointName=name, Body=b"1,2", ContentType="text/csv; charset=utf-8")
    (record,) = captured(emulator.s3, name, 1)
    assert record["captureData"]["endpointInput"]["encoding"] == "CSV"
    assert record["captureData"]["endpointInput"]["data"] == "1,2"
    assert record["captureData"]["endpointOutput"]["encoding"] == "BASE64"
    assert base64.b64decode(record["captureData"]["endpointOutput"]["data"]) == b"[0.93, 0.07]"


def test_bytes_that_are_no_text_are_base64_whatever_their_type_says(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    emulator.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, Body=b"\xff\x00", ContentType="application/json"
    )
    (record,) = captured(emulator.s3, name, 1)
    assert record["captureData"]["endpointInput"]["encoding"] == "BASE64"


def test_only_the_sides_asked_for_are_captured(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name, CaptureOptions=[{"CaptureMode": "Output"}])
    emulator.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=b"x")
    (record,) = captured(emulator.s3, name, 1)
    assert list(record["captureData"]) == ["endpointOutput"]
    assert "inferenceId" not in record["eventMetadata"]


def test_a_call_that_the_model_refused_is_not_captured(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    runtime = emulator.client("sagemaker-runtime")
    with pytest.raises(runtime.exceptions.ModelError):
        runtime.invoke_endpoint(EndpointName=name, Body=b"status 400")
    runtime.invoke_endpoint(EndpointName=name, Body=b"good")
    assert bodies(captured(emulator.s3, name, 1)) == [b"good"]


def test_five_hundred_calls_of_sixteen_clients_are_captured_once_each(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    runtime = emulator.client("sagemaker-runtime")
    sent = [f"image {index}".encode() for index in range(500)]
    begun = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        responses = list(pool.map(lambda body: runtime.invoke_endpoint(EndpointName=name, Body=body), sent))
    assert all(response["Body"].read() == b"[0.93, 0.07]" for response in responses)

    result = captured(emulator.s3, name, 500)

    assert sorted(bodies(result)) == sorted(sent)
    assert len({record["eventMetadata"]["eventId"] for record in result}) == 500
    files = [key for key in emulator.s3.objects if key.startswith(f"{CAPTURE_BUCKET}/data/{name}/")]
    assert len(files) <= (time.monotonic() - begun) / 0.2 + 2  # one for each --capture-seconds, and at a new hour


def test_a_missing_capture_bucket_holds_up_no_other_endpoint(emulator: Emulator, name: str) -> None:
    bucket = f"{name}-bucket"
    emulator.s3.missing_buckets.add(bucket)
    emulator.endpoint(f"{name}-lost", DestinationS3Uri=f"s3://{bucket}/data")
    emulator.endpoint(name)
    runtime = emulator.client("sagemaker-runtime")
    runtime.invoke_endpoint(EndpointName=f"{name}-lost", Body=b"x")
    runtime.invoke_endpoint(EndpointName=name, Body=b"x")
    assert len(captured(emulator.s3, name, 1)) == 1
    emulator.s3.missing_buckets.remove(bucket)
    wait_until(lambda: any(key.startswith(bucket) for key in emulator.s3.objects))


def test_an_update_under_load_captures_every_answered_call(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name, model_archive(seconds=0.02))
    emulator.config(f"{name}-2", name)
    runtime = emulator.client("sagemaker-runtime")

    def ask(index: int) -> bytes:
        response: bytes = runtime.invoke_endpoint(EndpointName=name, Body=str(index).encode())["Body"].read()
        return response

    with ThreadPoolExecutor(4) as pool:
        responses = pool.map(ask, range(200))
        emulator.client("sagemaker").update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-2")
        assert len(list(responses)) == 200
    emulator.wait(name)
    assert sorted(map(int, bodies(captured(emulator.s3, name, 200)))) == list(range(200))


CALL = Invocation("image/png", b"image", "application/json", b"[0.9,0.1]", None)


@pytest.mark.parametrize(("percent", "least", "most"), [(0, 0, 0), (50, 1900, 2100), (100, 4000, 4000)])
def test_as_many_calls_are_captured_as_the_percentage_says(tmp_path: Path, percent: int, least: int, most: int) -> None:
    bucket = BucketInMemory()

    async def run() -> CaptureBuffer:
        held = capture_buffer(tmp_path, bucket, [0.0], records=10**6, bytes=10**9)
        capture = CaptureWriter(capture_config(percent), "e", "AllTraffic", held, random.Random(7))
        for _ in range(4000):
            capture.take(CALL, datetime(2026, 11, 1, 10, 5, 12, 996_000, UTC))
        assert await held.flush()
        return held

    recorded = asyncio.run(run()).recorded
    assert least <= recorded <= most
    for key in bucket.objects:
        assert key.startswith("data/e/AllTraffic/2026/11/01/10/05-12-996-")
    assert sum(content.count(b"\n") for content in bucket.objects.values()) == recorded


def test_records_go_to_the_folder_of_their_hour(tmp_path: Path) -> None:
    bucket = BucketInMemory()

    async def run() -> None:
        held = capture_buffer(tmp_path, bucket, [0.0])
        capture = CaptureWriter(capture_config(100), "e", "AllTraffic", held, random.Random(7))
        capture.take(CALL, datetime(2026, 11, 1, 10, 59, 59, 999_000, UTC))
        capture.take(CALL, datetime(2026, 11, 1, 11, 0, 0, 1000, UTC))
        await held.flush()

    asyncio.run(run())
    assert sorted(key[:32] for key in bucket.objects) == [
        "data/e/AllTraffic/2026/11/01/10/",
        "data/e/AllTraffic/2026/11/01/11/",
    ]
