"""InvokeEndpoint."""

import contextlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import cast

from botocore.model import ServiceModel, StructureShape
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from emulation.sagemaker import validation
from emulation.sagemaker.capture import Invocation, utc
from emulation.sagemaker.errors import (
    AwsError,
    BodyTooLarge,
    ContainerDown,
    ContainerTimeout,
    InternalFailure,
    InvalidContainerResponse,
    ModelError,
    ModelNotReady,
    ServiceUnavailable,
    ValidationError,
)
from emulation.sagemaker.hosting import event_stream, faults
from emulation.sagemaker.hosting.deployment import Deployment, Variant
from emulation.sagemaker.hosting.faults import Faults, Half
from emulation.sagemaker.hosting.http_client import ContainerResponse
from emulation.sagemaker.hosting.server_log import GROUP
from emulation.sagemaker.request_body import read_body
from emulation.sagemaker.store import Kind, Store

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 6 * 1024 * 1024
MAX_BUFFERED_BYTES = 384 * 1024 * 1024
_MAX_ORIGINAL_MESSAGE = 4096
_CUSTOM_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
_STREAM_ACCEPT = b"x-amzn-sagemaker-accept"
_TO_CONTAINER = ("content-type", "accept", _CUSTOM_ATTRIBUTES)
_TIMEOUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)


class InvokeEndpoint:
    """Handles ``POST /endpoints/{name}/invocations``; ``serving`` returns the deployment of the endpoint of a name."""

    def __init__(
        self,
        store: Store,
        serving: Callable[[str], Deployment | None],
        model: ServiceModel,
        now: Callable[[], float],
        faults: Faults,
    ) -> None:
        self._store = store
        self._faults = faults
        self._serving = serving
        self._now = now
        self._shape = cast(StructureShape, model.operation_model("InvokeEndpoint").input_shape)
        self._headers = {
            member: shape.serialization["name"].lower()
            for member, shape in self._shape.members.items()
            if shape.serialization.get("location") == "header"
        }
        self._buffered_bytes = 0

    async def handle(self, request: Request) -> Response:
        """Handle one invocation; every error has AWS's form."""
        try:
            return await self._invoke(request)
        except AwsError as error:
            return _refuse(error)
        except ClientDisconnect:
            raise
        except Exception:
            log.exception("an invocation failed")
            return _refuse(InternalFailure("An internal failure occurred."))

    async def handle_stream(self, request: Request) -> Response:
        """Handle one invocation with a response stream: the container's whole response, as one event or several."""
        headers = [(name, value) for name, value in request.scope["headers"] if name != b"accept"]
        headers += [(b"accept", value) for name, value in headers if name == _STREAM_ACCEPT]
        response = await self.handle(Request({**request.scope, "headers": headers}, request.receive))
        if response.status_code != 200:
            return response
        streamed = Response(event_stream.payload_parts(bytes(response.body)), media_type=event_stream.CONTENT_TYPE)
        streamed.headers["x-amzn-sagemaker-content-type"] = response.headers["content-type"]
        for name in ("x-amzn-invoked-production-variant", _CUSTOM_ATTRIBUTES):
            if name in response.headers:
                streamed.headers[name] = response.headers[name]
        return streamed

    async def _invoke(self, request: Request) -> Response:
        name = request.path_params["name"]
        params = self._validated(name, request.headers)
        self._deployment(name)
        self._refuse_targets(name, params)
        with self._reserve_memory() as reserve:
            body = await read_body(request, MAX_BODY_BYTES, reserve)
            if body is None:
                raise BodyTooLarge(f"HTTP content length exceeded {MAX_BODY_BYTES} bytes.")
            deployment = self._deployment(name)
            with deployment.request():
                variant = deployment.choose(params.get("TargetVariant"))
                if variant is None:
                    raise ValidationError(f"Variant {params['TargetVariant']} not found for endpoint {name}.")
                fault = self._faults.next_fault(name)
                refusal = await faults.before(fault, request) if fault else None
                if refusal is not None:
                    return refusal
                reply = await self._invoke_variant(name, variant, request.headers, body)
                if fault is not None:
                    reply = faults.after(fault, reply)
                response_type = reply.headers.get("content-type", "application/octet-stream")
                if variant.capture is not None:
                    content_type = params.get("ContentType", "application/octet-stream")
                    invocation = Invocation(content_type, body, response_type, reply.body, params.get("InferenceId"))
                    variant.capture.take(invocation, utc(self._now()))
        headers = {"content-type": response_type, "x-amzn-invoked-production-variant": variant.plan.name}
        if _CUSTOM_ATTRIBUTES in reply.headers:
            headers[_CUSTOM_ATTRIBUTES] = reply.headers[_CUSTOM_ATTRIBUTES]
        kind = Half if fault is not None and fault.kind == "half" else Response
        return kind(reply.body, 200, headers)

    def _validated(self, name: str, headers: Mapping[str, str]) -> dict[str, str]:
        params = {member: headers[header] for member, header in self._headers.items() if header in headers}
        params["EndpointName"] = name
        violations = list(validation.violations({**params, "Body": b""}, self._shape))
        if violations:
            raise ValidationError(validation.message(violations))
        return params

    def _refuse_targets(self, name: str, params: Mapping[str, str]) -> None:
        """Refuse headers that only other kinds of endpoint support."""
        endpoint = f"Endpoint {name} of account {self._store.account.number}"
        if "TargetModel" in params:
            raise ValidationError(f"{endpoint} is not a multi-model endpoint and does not support target model header.")
        if "TargetContainerHostname" in params:
            raise ValidationError(
                f"{endpoint} is not a multi-container endpoint and does not support target container hostname header."
            )
        if "InferenceComponentName" in params:
            raise ValidationError(f"Inference Component {params['InferenceComponentName']} of {endpoint} not found.")

    @contextlib.contextmanager
    def _reserve_memory(self) -> Iterator[Callable[[int], None]]:
        """Add the bytes of a request's body as they arrive, and subtract them at the end."""
        own = 0

        def reserve(size: int) -> None:
            nonlocal own
            if self._buffered_bytes + size > MAX_BUFFERED_BYTES:
                raise ServiceUnavailable("Too many invocations are in progress. Please try again.")
            own += size
            self._buffered_bytes += size

        try:
            yield reserve
        finally:
            self._buffered_bytes -= own

    def _deployment(self, name: str) -> Deployment:
        deployment = self._serving(name)
        if deployment is not None:
            return deployment
        record = self._store.find(Kind.ENDPOINT, name)
        if record is not None and record.name == name and record.described["EndpointStatus"] == "SystemUpdating":
            if all(variant["instances"] == 0 for variant in record.private["Serving"]["variants"]):
                raise ModelNotReady(f"The model of serverless endpoint {name} is still being loaded. Please try again.")
            raise ServiceUnavailable(f"Endpoint {name} is restarting. Please try again.")
        raise ValidationError(f"Endpoint {name} of account {self._store.account.number} not found.")

    async def _invoke_variant(
        self, name: str, variant: Variant, headers: Mapping[str, str], body: bytes
    ) -> ContainerResponse:
        passed = {header: headers[header] for header in _TO_CONTAINER if header in headers}
        try:
            reply = await variant.container.invoke(passed, body)
        except ContainerTimeout as error:
            raise self._model_error(name, 0, _TIMEOUT) from error
        except InvalidContainerResponse as error:
            raise self._model_error(name, 502, str(error)) from error
        except ContainerDown as error:
            raise ServiceUnavailable(f"No instance of endpoint {name} is available: {error}.") from error
        if not 200 <= reply.status < 300:
            text = reply.body[:_MAX_ORIGINAL_MESSAGE].decode(errors="replace")
            raise self._model_error(name, reply.status, text)
        return reply

    def _model_error(self, name: str, status: int, text: str) -> ModelError:
        account, region = self._store.account.number, self._store.account.region
        side = "client" if 400 <= status < 500 else "server"
        group = GROUP.format(endpoint=name)
        message = (
            f'Received {side} error ({status}) from primary with message "{text}". See https://{region}.console.aws.amazon.com'
            f"/cloudwatch/home?region={region}#logEventViewer:group={group} in account {account} for more information."
        )
        return ModelError(message, status, text, f"arn:aws:logs:{region}:{account}:log-group:{group}")


def _refuse(error: AwsError) -> Response:
    headers = {"x-amzn-errortype": error.code} if error.code else None
    key = "Message" if error.code else "message"
    content = json.dumps({key: error.message, **error.fields()})
    return Response(content, error.status, headers, media_type="application/json")
