"""Our requests are those of botocore's own client, which knows AWS's rules for hosts, regions and signatures."""

import re
from datetime import UTC, datetime

import botocore.auth
import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from clients import Recorded, response
from s3_objects import ObjectStore, dns_suffix
from settings import Credentials

CREDENTIALS = Credentials("AKIDEXAMPLE", "secret", "token")
ODD_KEY = "in/\u00e9 \u2603+%20//../a;b,c:d@e&f=g?h#i[j]!$'()*~.png"


def client_request(bucket: str, key: str, region: str, endpoint_url: str | None) -> AWSPreparedRequest:
    sent: list[AWSPreparedRequest] = []

    def send(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        sent.append(request)
        return response(200)

    client = botocore.session.Session().create_client(
        "s3",
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=CREDENTIALS.access_key,
        aws_secret_access_key=CREDENTIALS.secret_key,
        aws_session_token=CREDENTIALS.token,
        config=Config(s3={"us_east_1_regional_endpoint": "regional"}),
    )
    client.meta.events.register("before-send.s3", send)
    client.get_object(Bucket=bucket, Key=key)
    return sent[0]


def facts(request: AWSPreparedRequest) -> dict[str, object]:
    def text(name: str) -> str:
        value = request.headers[name]
        return value.decode() if isinstance(value, bytes) else str(value)

    signed = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=(\S+), SignedHeaders=(\S+), Signature=\w+", text("Authorization")
    )
    assert signed is not None
    headers = {name: text(name) for name in ("X-Amz-Content-SHA256", "X-Amz-Date", "X-Amz-Security-Token")}
    return {"method": request.method, "url": request.url, "scope": signed[1], **headers}


CASES = [
    ("images", ODD_KEY, "us-east-1", None),
    ("images", ODD_KEY, "eu-west-1", "http://localhost:4566"),
    ("images", "a.png", "cn-north-1", None),
    ("images", "a.png", "us-gov-west-1", None),
    ("images", "a.png", "us-iso-east-1", None),
    ("images", "/a.png", "ap-southeast-2", None),
    ("my.dotted.bucket", "a.png", "eu-west-1", None),
    ("arn:aws:s3:eu-west-1:123456789012:accesspoint/photos", ODD_KEY, "eu-west-1", None),
    ("arn:aws:s3:eu-west-1:123456789012:accesspoint:photos", "a.png", "us-east-1", None),
    ("arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/photos", "a.png", "cn-north-1", None),
]


@pytest.mark.parametrize(("bucket", "key", "region", "endpoint_url"), CASES)
def test_a_request_is_the_one_that_botocores_client_sends(
    bucket: str, key: str, region: str, endpoint_url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda **_: datetime(2026, 11, 26, tzinfo=UTC))
    session = Recorded(response(200))
    ObjectStore(session, region, CREDENTIALS, endpoint_url).get_object(bucket, key)
    assert facts(session.requests[0]) == facts(client_request(bucket, key, region, endpoint_url))


def test_a_region_that_is_newer_than_botocore_is_one_of_awss_own() -> None:
    assert dns_suffix("moon-base-1") == "amazonaws.com"
