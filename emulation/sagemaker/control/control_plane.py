"""The control planes of SageMaker and Application Auto Scaling: JSON 1.1 requests to the operations, and back."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import NoReturn

from botocore.model import ServiceModel
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from emulation.sagemaker import validation
from emulation.sagemaker.control import autoscaling, endpoint_configs, endpoints, models, tags, training_jobs
from emulation.sagemaker.control.context import OperationContext
from emulation.sagemaker.errors import (
    AwsError,
    BodyTooLarge,
    InternalFailure,
    SerializationException,
    UnknownOperation,
    ValidationException,
)
from emulation.sagemaker.request_body import read_body
from emulation.sagemaker.validation import Params

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 1024 * 1024
_CONTENT_TYPE = "application/x-amz-json-1.1"

Operation = Callable[[OperationContext, Params], Awaitable[Params]]

OPERATIONS: Mapping[str, Operation] = {
    "CreateModel": models.create,
    "DescribeModel": models.describe,
    "ListModels": models.list_all,
    "DeleteModel": models.delete,
    "CreateEndpointConfig": endpoint_configs.create,
    "DescribeEndpointConfig": endpoint_configs.describe,
    "ListEndpointConfigs": endpoint_configs.list_all,
    "DeleteEndpointConfig": endpoint_configs.delete,
    "CreateEndpoint": endpoints.create,
    "UpdateEndpoint": endpoints.update,
    "UpdateEndpointWeightsAndCapacities": endpoints.update_weights,
    "DescribeEndpoint": endpoints.describe,
    "ListEndpoints": endpoints.list_all,
    "DeleteEndpoint": endpoints.delete,
    "CreateTrainingJob": training_jobs.create,
    "DescribeTrainingJob": training_jobs.describe,
    "ListTrainingJobs": training_jobs.list_all,
    "StopTrainingJob": training_jobs.stop,
    "DeleteTrainingJob": training_jobs.delete,
    "AddTags": tags.add,
    "ListTags": tags.list_all,
    "DeleteTags": tags.delete,
}
AUTOSCALING: Mapping[str, Operation] = {
    "RegisterScalableTarget": autoscaling.register,
    "DescribeScalableTargets": autoscaling.describe_targets,
    "DeregisterScalableTarget": autoscaling.deregister,
    "PutScalingPolicy": autoscaling.put_policy,
    "DescribeScalingPolicies": autoscaling.describe_policies,
    "DeleteScalingPolicy": autoscaling.delete_policy,
}


class ControlPlane:
    """Answers ``POST /``: a request names service and operation in its header X-Amz-Target."""

    def __init__(self, context: OperationContext, sagemaker: ServiceModel, scaling: ServiceModel) -> None:
        self._emulator = context
        self._services = {
            str(model.metadata["targetPrefix"]): (model, operations)
            for model, operations in ((sagemaker, OPERATIONS), (scaling, AUTOSCALING))
        }

    async def handle(self, request: Request) -> Response:
        """Answer one request; every error takes AWS's form."""
        try:
            response = await self._perform(request)
        except AwsError as error:
            return _refuse(error)
        except ClientDisconnect:
            raise
        except Exception:
            log.exception("%s failed", request.headers.get("x-amz-target"))
            return _refuse(InternalFailure("The request processing has failed because of an unknown error."))
        return _respond(200, response)

    async def perform(self, prefix: str, name: str, body: bytes) -> Params:
        """Perform one operation of the service of that prefix. Raises AwsError."""
        model, operations = self._services[prefix]
        shape = model.operation_model(name).input_shape
        if shape is None:
            return await operations[name](self._emulator, {})
        params = validation.typed(_parse(body), shape)
        violations = list(validation.violations(params, shape))
        if violations:
            raise ValidationException(validation.message(violations))
        return await operations[name](self._emulator, params)

    async def _perform(self, request: Request) -> Params:
        target = request.headers.get("x-amz-target", "")
        prefix, _, name = target.partition(".")
        if prefix not in self._services or name not in self._services[prefix][1]:
            known = prefix in self._services and name in self._services[prefix][0].operation_names
            raise UnknownOperation(
                f"{name} is not emulated." if known else f"The operation {target[:200]!r} does not exist."
            )
        body = await read_body(request, MAX_BODY_BYTES)
        if body is None:
            raise BodyTooLarge(f"HTTP content length exceeded {MAX_BODY_BYTES} bytes.")
        return await self.perform(prefix, name, body)


def _parse(body: bytes) -> object:
    try:
        parsed: object = json.loads(body or b"{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise SerializationException(f"The request body is not valid JSON: {error}") from error
    return parsed


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse(error: AwsError) -> Response:
    return _respond(error.status, {"__type": error.code, "message": error.message})


def _respond(status: int, response: Params) -> Response:
    content = json.dumps(response) if status != 200 or response else ""
    return Response(content, status, media_type=_CONTENT_TYPE)
