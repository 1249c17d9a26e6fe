"""Every error that sagemaker-runtime knows, and the two that it does not, as boto3 raises it: one row each."""

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from tests.emulation.fakes.s3 import fake_s3
from tests.emulation.sagemaker.emulator import Emulator, model_archive

ACCOUNT = "000000000000"
FAILED = (
    r'Received server error \(500\) from primary with message "no such image"\. See '
    r"https://us-east-1\.console\.aws\.amazon\.com/cloudwatch/home\?region=us-east-1#logEventViewer:group="
    r"/aws/sagemaker/Endpoints/e in account 000000000000 for more information\."
)
DENIED = (
    r"User: arn:aws:iam::\d{12}:\S+ is not authorized to perform: sagemaker:InvokeEndpoint because no "
    r"identity-based policy allows the sagemaker:InvokeEndpoint action"
)
# Code, status, what makes it come (a fault, or a body that the model refuses), and the form of its message.
ERRORS = [
    ("ModelError", 424, "status 500", FAILED),
    ("ModelNotReadyException", 429, "not-ready", r".* not ready .*try again.*"),
    ("ServiceUnavailable", 503, "unavailable", r"The service is currently unavailable.*"),
    ("InternalFailure", 500, "internal", r"An internal failure occurred.*"),
    ("InternalDependencyException", 530, "dependency", r"A dependency of the service failed.*"),
    ("ValidationError", 400, "no endpoint", r"Endpoint nobody of account 000000000000 not found\."),
    ("ThrottlingException", 400, "throttling", r"Rate exceeded"),
    ("AccessDeniedException", 403, "denied", DENIED),
]
PLAIN = {"ThrottlingException", "AccessDeniedException"}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with fake_s3() as s3:
        running = Emulator(tmp_path_factory.mktemp("errors") / "state", s3, ("--faults",)).start()
        running.endpoint("e", model_archive())
        yield running
        running.stop()


def admin(emulator: Emulator, method: str, **fault: Any) -> None:
    body = json.dumps(fault).encode() if fault else None
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{emulator.url}/_scones/faults", body, headers, method=method)  # noqa: S310
    urllib.request.urlopen(request).close()  # noqa: S310


@pytest.mark.parametrize(("code", "status", "cause", "form"), ERRORS, ids=[row[0] for row in ERRORS])
def test_an_error_is_raised_as_aws_raises_it(faulty: Emulator, code: str, status: int, cause: str, form: str) -> None:
    client = faulty.client("sagemaker-runtime")
    asked = {"EndpointName": "nobody" if cause == "no endpoint" else "e", "Body": cause.encode()}
    injected = cause not in {"no endpoint", "status 500"}
    if injected:
        admin(faulty, "PUT", kind=cause)
    with pytest.raises(ClientError) as caught:
        client.invoke_endpoint(**asked)
    if injected:
        admin(faulty, "DELETE")
    error, response = caught.value, caught.value.response
    assert type(error) is (ClientError if code in PLAIN else getattr(client.exceptions, code))
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert re.fullmatch(form, response["Error"]["Message"]), response["Error"]["Message"]
    assert str(error).startswith(f"An error occurred ({code}) when calling the InvokeEndpoint operation")
    assert len(response["ResponseMetadata"]["RequestId"]) == 36


def test_the_rows_are_all_the_errors_that_the_service_model_has_and_their_statuses_are_its_own() -> None:
    model = botocore.session.get_session().get_service_model("sagemaker-runtime")
    known = {shape.name: shape.metadata["error"] for shape in model.operation_model("InvokeEndpoint").error_shapes}
    known = {details.get("code", name): details["httpStatusCode"] for name, details in known.items()}
    assert {code: status for code, status, _, _ in ERRORS if code not in PLAIN} == known


def test_a_model_error_carries_the_models_own_words(faulty: Emulator) -> None:
    client = faulty.client("sagemaker-runtime")
    with pytest.raises(client.exceptions.ModelError) as caught:
        client.invoke_endpoint(EndpointName="e", Body=b"status 400")
    response = caught.value.response
    assert (response["OriginalStatusCode"], response["OriginalMessage"]) == (400, "no such image")
    assert response["LogStreamArn"] == f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/sagemaker/Endpoints/e"
