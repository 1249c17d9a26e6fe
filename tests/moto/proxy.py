"""A reverse proxy in front of moto: records each call, answers those that moto lacks, and injects AWS's faults.

Requests are parsed and stubs' responses serialised by botocore's service models, with moto's router and serializers.
"""

import json
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import urllib3
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

# botocore's names of the services that sign their requests with another.
_SERVICES = {"monitoring": "cloudwatch", "states": "stepfunctions", "servicequotas": "service-quotas"}
_HOP_BY_HOP = frozenset({"connection", "content-length", "content-encoding", "transfer-encoding", "server", "date"})


@dataclass(frozen=True)
class Call:
    """One request: the service and the operation by botocore's names, and its members."""

    service: str
    operation: str
    members: Mapping[str, Any]
    access_key: str = ""
    agent: str = ""

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"


Stub = Callable[..., Mapping[str, Any] | None]
"""Receives a request's members as keyword arguments and returns the response's; raises ClientError."""

Fault = Callable[[Call], ClientError | None]
"""Returns the error with which AWS refuses a request, or None if it does not."""


class Proxy:
    """Listens on a free port and forwards to moto what no stub or fault answers."""

    def __init__(self, moto_url: str, stubs: Mapping[str, Stub], faults: Iterable[Fault] = ()) -> None:
        self.calls: list[Call] = []
        self.stubbed: set[str] = set()
        self.failures: list[str] = []
        self.faults = list(faults)
        self._moto_url, self._stubs = moto_url, stubs
        self._pool = urllib3.PoolManager(maxsize=16)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        body = request.get_data()
        if request.path.startswith("/_"):  # an emulator's own, as of its health
            return self._forward(request, body)(environ, start_response)
        call, model = _parse(request)
        self.calls.append(call)
        for fault in self.faults:
            if (error := fault(call)) is not None:
                return _error(model, request, error)(environ, start_response)
        if call.name not in self._stubs:
            return self._forward(request, body)(environ, start_response)
        self.stubbed.add(call.name)
        try:
            response = _success(model, request, self._stubs[call.name](**call.members) or {})
        except ClientError as error:
            response = _error(model, request, error)
        except Exception:  # noqa: BLE001 - a test asserts that there was none
            self.failures.append(traceback.format_exc())
            response = Response("the stub failed", 501)
        return response(environ, start_response)

    def _forward(self, request: Request, body: bytes) -> Response:
        reply = self._pool.request(
            request.method, self._moto_url + request.environ["RAW_URI"], body=body, headers=dict(request.headers),
            redirect=False, retries=False, decode_content=False,
        )  # fmt: skip
        if reply.status >= 500:
            self.failures.append(f"moto: {reply.status} for {request.method} {request.path} {body[:200]!r}")
        headers = [(name, value) for name, value in reply.headers.items() if name.lower() not in _HOP_BY_HOP]
        response = Response(reply.data, reply.status, headers)
        if request.method == "HEAD":
            response.headers["Content-Length"] = reply.headers.get("Content-Length", "0")
        return response


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        """Write no access log."""


def _parse(request: Request) -> tuple[Call, Any]:
    """Return the call that a request makes, and the model of its operation."""
    scope = request.headers.get("Authorization", "").partition("Credential=")[2].split(",")[0].split("/")
    service = _SERVICES.get(scope[3], scope[3]) if len(scope) > 3 else "s3"
    if service == "sagemaker" and request.path.endswith("/invocations"):
        service = "sagemaker-runtime"
    model, labels = get_service_router(service).match(request)
    if service == "s3":  # an object's bytes are no members
        members = {**labels, **{name.capitalize(): value for name, value in request.args.items()}}
    else:
        parser = PROTOCOL_PARSERS[determine_request_protocol(model.service_model, request.content_type)](model)
        members = parser.parse(
            {
                "method": request.method, "values": request.values, "headers": request.headers, "body": request.data,
                "url_path": request.path, "url_params": labels,
            }
        )  # fmt: skip
    return Call(service, str(model.name), members, scope[0], request.headers.get("User-Agent", "")), model


def _success(model: Any, request: Request, members: Mapping[str, Any]) -> Response:
    if model.output_shape is not None:
        report = ParamValidator().validate(members, model.output_shape)
        assert not report.has_errors(), f"{model.name} cannot respond so: {report.generate_report()}"
    return _serialized(model, request, members)


def _error(model: Any, request: Request, error: ClientError) -> Response:
    code, message = error.response["Error"]["Code"], escape(error.response["Error"].get("Message", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    protocol = determine_request_protocol(model.service_model, request.content_type)
    if "json" in protocol:
        return Response(json.dumps({"__type": code, "message": message}), status, {"x-amzn-ErrorType": code})
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Response(body if protocol == "rest-xml" else f"<ErrorResponse>{body}</ErrorResponse>", status)


def _serialized(model: Any, request: Request, result: Any) -> Response:
    protocol = determine_request_protocol(model.service_model, request.content_type)
    response = get_serializer_class(model.service_model.service_name, protocol)(model).serialize(result)
    return Response(response["body"], response["status_code"], response["headers"])
