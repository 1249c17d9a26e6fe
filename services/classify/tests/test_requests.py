"""Our requests are those of botocore's own client, which knows AWS's rules for hosts, regions and signatures."""

import re
from datetime import UTC, datetime

import botocore.auth
import botocore.session
import endpoint
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from clients import Recorded, response
from endpoint import EndpointRuntime

ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}
BODY = bytes(range(256))


def client_request(region: str) -> AWSPreparedRequest:
    sent: list[AWSPreparedRequest] = []

    def send(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        sent.append(request)
        return response(200, b"[1, 0]")

    client = botocore.session.Session().create_client("sagemaker-runtime", region_name=region)
    client.meta.events.register("before-send.sagemaker-runtime", send)
    client.invoke_endpoint(
        EndpointName="a-1", ContentType="image/png", Accept="application/json", Body=BODY, InferenceId="4f2b"
    )
    return sent[0]


def facts(request: AWSPreparedRequest) -> dict[str, object]:
    def text(name: str) -> str:
        value = request.headers[name]
        return value.decode() if isinstance(value, bytes) else str(value)

    signed = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=(\S+), SignedHeaders=(\S+), Signature=\w+", text("Authorization")
    )
    assert signed is not None
    names = ("Content-Type", "Accept", "X-Amzn-SageMaker-Inference-Id", "X-Amz-Date", "X-Amz-Security-Token")
    headers = {name: text(name) for name in names}
    return {"method": request.method, "url": request.url, "body": request.body, "scope": signed[1], **headers}


@pytest.mark.parametrize("url", [None, "http://localhost:4566/"])
@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1"])
def test_a_request_is_the_one_that_botocores_client_sends(
    region: str, url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"):
        monkeypatch.delenv(name, raising=False)
    environment = {**ENVIRONMENT, "AWS_REGION": region, **({"AWS_ENDPOINT_URL": url} if url else {})}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda **_: datetime(2026, 11, 26, tzinfo=UTC))
    made = endpoint.sagemaker_runtime.__wrapped__()
    session = Recorded(response(200, b"[1, 0]"))
    EndpointRuntime(session, made.region, made.credentials, made.url).invoke_endpoint("a-1", BODY, "image/png", "4f2b")
    assert facts(session.requests[0]) == facts(client_request(region))
