"""AWS in memory: real boto3 clients whose requests a test's object answers.

botocore's model of the service validates every request, and every response before it is returned, so that a fake
cannot know an operation, a member or an enumeration value that AWS does not have.
"""

from collections.abc import Callable
from typing import Any

import boto3
import botocore.session
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from botocore.model import OperationModel
from botocore.validate import ParamValidator


def client(service: str, fake: object, region: str = "us-east-1") -> Any:
    """Return a client whose operations are the methods of ``fake``, by their names in boto3.

    A method takes the request's members as keyword arguments and returns the response's; for an error it raises what
    :func:`error` returns.
    """
    made = boto3.client(service, region, aws_access_key_id="test", aws_secret_access_key="test")

    def remember(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["members"] = params

    def answer(model: OperationModel, context: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        method: Callable[..., Any] = getattr(fake, xform_name(model.name))
        try:
            response = method(**context["members"]) or {}
        except ClientError as error:
            return AWSResponse("", 400, {}, None), dict(error.response)
        _validate(model, response)
        return AWSResponse("", 200, {}, None), {**response, "ResponseMetadata": {"HTTPStatusCode": 200}}

    made.meta.events.register(f"before-parameter-build.{made.meta.service_model.service_id.hyphenize()}", remember)
    made.meta.events.register(f"before-call.{made.meta.service_model.service_id.hyphenize()}", answer)
    return made


def error(code: str, message: str = "") -> ClientError:
    """Return the error that an operation raises for AWS's error code."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


def operations(service: str) -> set[str]:
    """Return the names of a service's operations in boto3."""
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name) for name in model.operation_names}


def _validate(model: OperationModel, response: dict[str, Any]) -> None:
    if model.output_shape is not None:
        report = ParamValidator().validate(response, model.output_shape)
        assert not report.has_errors(), f"{model.name} cannot respond so: {report.generate_report()}"
        unknown = set(response) - set(model.output_shape.members)
        assert not unknown, f"{model.name} responds no {unknown}"
