"""Logs hold neither credentials nor image content, whatever goes wrong."""

import base64
import contextlib
from collections.abc import Callable
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.emulation.lambda_hosts import lambda_host
from tests.emulation.sagemaker.emulator import Emulator, model_archive

SECRET = "c3VwZXItc2VjcmV0LWtleS1vZi1hLXVzZXI"
TOKEN = "session-token-of-a-user"
IMAGE = b"\x89PNG content of a customer's image " * 40
FORBIDDEN = (SECRET, TOKEN, "AKIAOFAUSER", IMAGE[1:30].decode(), base64.b64encode(IMAGE).decode()[:30])


def test_the_emulator_logs_neither_credentials_nor_images(make_emulator: Callable[..., Emulator]) -> None:
    emulator = make_emulator()
    emulator.start(AWS_SECRET_ACCESS_KEY=SECRET, AWS_SESSION_TOKEN=TOKEN)
    emulator.endpoint("e", model_archive())
    emulator.model("broken", model_archive(exit=3))
    emulator.config("broken", "broken")
    sagemaker = emulator.client("sagemaker")
    sagemaker.create_endpoint(EndpointName="broken", EndpointConfigName="broken")
    emulator.wait("broken", "Failed")
    runtime = boto3.client(
        "sagemaker-runtime",
        endpoint_url=emulator.url,
        region_name="us-east-1",
        aws_access_key_id="AKIAOFAUSER",
        aws_secret_access_key=SECRET,
        aws_session_token=TOKEN,
        config=Config(retries={"total_max_attempts": 1}),
    )
    for name in ("e", "broken", "no-such-endpoint"):
        with contextlib.suppress(ClientError, BotoCoreError):
            runtime.invoke_endpoint(EndpointName=name, Body=IMAGE, ContentType="image/png")
    emulator.stop()
    written = emulator.log.read_text() + "".join(path.read_text() for path in emulator.state_dir.rglob("*.log"))
    assert [text for text in FORBIDDEN if text in written] == []


def test_a_lambda_host_logs_neither_credentials_nor_events(probe: Path, tmp_path: Path) -> None:
    with lambda_host(probe, tmp_path / "host.log", "--timeout", "3") as (host, _):
        host.configure(variables={"AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN})
        for act in ("", "fail", "chain"):
            host.do(act, image_data=base64.b64encode(IMAGE).decode())
        host.post(b'{"image_data": "' + base64.b64encode(IMAGE))
    written = (tmp_path / "host.log").read_text()
    assert [text for text in FORBIDDEN if text in written] == []
