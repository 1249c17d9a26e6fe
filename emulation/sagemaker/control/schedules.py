"""EventBridge Scheduler, as far as the scheduled deletion of an endpoint needs it: one-time calls to SageMaker.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
"""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from botocore.model import ServiceModel, StructureShape
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from emulation.sagemaker import validation
from emulation.sagemaker.errors import (
    AwsError,
    BodyTooLarge,
    Conflict,
    InternalServer,
    ResourceNotFound,
    UnknownOperation,
    ValidationException,
)
from emulation.sagemaker.request_body import read_body
from emulation.sagemaker.store import Kind, Record, Store

log = logging.getLogger(__name__)

_MAX_BODY_BYTES = 256 * 1024
_POLL_SECONDS = 0.5
_RETRY_SECONDS = 5.0
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_TARGET = re.compile(r"arn:aws:scheduler:::aws-sdk:sagemaker:([a-zA-Z]+)")
OPERATIONS = {"POST": "CreateSchedule", "PUT": "UpdateSchedule", "GET": "GetSchedule", "DELETE": "DeleteSchedule"}

Perform = Callable[[str, bytes], Awaitable[Any]]


@dataclass(frozen=True)
class Caller:
    """What a schedule calls: SageMaker's operations by their names, and how one is performed."""

    operations: frozenset[str]
    perform: Perform


class Schedules:
    """Answers ``/schedules/{name}``, and does what is planned when its time has come."""

    def __init__(self, store: Store, model: ServiceModel, caller: Caller, now: Callable[[], float]) -> None:
        self._store = store
        self._model = model
        self._caller = caller
        self._now = now
        self._later: dict[str, float] = {}

    async def handle(self, request: Request) -> Response:
        """Answer one request; every error takes AWS's form."""
        try:
            response = await self._perform(request)
        except AwsError as error:
            return _refuse(error)
        except ClientDisconnect:
            raise
        except Exception:
            log.exception("%s %s failed", request.method, request.url.path)
            return _refuse(InternalServer("Unexpected error encountered while processing the request."))
        return Response(json.dumps(response), media_type="application/json")

    async def run(self) -> None:
        """Do what is due, for ever."""
        while True:
            for record in self._store.all(Kind.SCHEDULE):
                if max(record.private["At"], self._later.get(record.name, 0)) <= self._now():
                    try:
                        await self._carry_out(record)
                    except Exception:
                        log.exception("schedule %s failed", record.name)
                        self._later[record.name] = self._now() + _RETRY_SECONDS
            await asyncio.sleep(_POLL_SECONDS)

    async def _carry_out(self, record: Record) -> None:
        """Call the target; a refusal that may pass, as of an endpoint that is being updated, is tried again."""
        target = record.described["Target"]
        try:
            await self._caller.perform(_operation(target, self._caller.operations), target.get("Input", "{}").encode())
        except AwsError as error:
            log.warning("schedule %s: %s", record.name, error.message)
            if "in-progress" in error.message:
                self._later[record.name] = self._now() + _RETRY_SECONDS
                return
        self._store.remove(Kind.SCHEDULE, record.name)

    async def _perform(self, request: Request) -> Mapping[str, Any]:
        body = await read_body(request, _MAX_BODY_BYTES)
        if body is None:
            raise BodyTooLarge(f"HTTP content length exceeded {_MAX_BODY_BYTES} bytes.")
        name = request.path_params["name"]
        if request.method not in OPERATIONS:
            raise UnknownOperation(f"There is no operation {request.method} on a schedule.")
        params = self._validated(OPERATIONS[request.method], name, body)
        if request.method in {"POST", "PUT"}:
            return self._put(name, params, new=request.method == "POST")
        record = self._get(name)
        if request.method == "DELETE":
            self._store.remove(Kind.SCHEDULE, name)
            return {}
        times = {"CreationDate": record.created, "LastModificationDate": record.modified}
        fixed = {"GroupName": "default", "State": "ENABLED"}
        return {"Name": name, "Arn": record.arn, **fixed, **times, **record.described}

    def _validated(self, operation: str, name: str, body: bytes) -> dict[str, Any]:
        shape = cast(StructureShape, self._model.operation_model(operation).input_shape)
        try:
            content = json.loads(body or b"{}")
        except (ValueError, RecursionError) as error:
            raise ValidationException(f"The request body is not valid JSON: {error}") from error
        params: dict[str, Any] = validation.typed(content, shape) | {"Name": name}
        violations = list(validation.violations(params, shape))
        if violations:
            raise ValidationException(validation.message(violations))
        return params

    def _put(self, name: str, params: dict[str, Any], *, new: bool) -> Mapping[str, Any]:
        if new and self._store.find(Kind.SCHEDULE, name) is not None:
            raise Conflict(f"Schedule {name} already exists.")
        now = self._now()
        created = now if new else self._get(name).created
        if params.get("GroupName", "default") != "default" or params.get("State", "ENABLED") != "ENABLED":
            raise ValidationException("Only schedules that are enabled, in the group default, are emulated.")
        if new:
            self._store.require_absent(Kind.SCHEDULE, name)
        _operation(params["Target"], self._caller.operations)
        moment = _moment(params["ScheduleExpression"], params.get("ScheduleExpressionTimezone", "UTC"))
        account = self._store.account
        arn = f"arn:aws:scheduler:{account.region}:{account.number}:schedule/default/{name}"
        dropped = {"Name", "ClientToken", "GroupName", "State"}
        described = {key: value for key, value in params.items() if key not in dropped}
        self._store.save(Kind.SCHEDULE, Record(name, arn, created, now, described, private={"At": moment}))
        return {"ScheduleArn": arn}

    def _get(self, name: str) -> Record:
        record = self._store.find(Kind.SCHEDULE, name)
        if record is None or record.name != name:
            raise ResourceNotFound(f"Schedule {name} does not exist.")
        return record


def _refuse(error: AwsError) -> Response:
    headers = {"x-amzn-errortype": error.code} if error.code else None
    return Response(json.dumps({"Message": error.message}), error.status, headers, media_type="application/json")


def _operation(target: Mapping[str, Any], known: frozenset[str]) -> str:
    match = _TARGET.fullmatch(target["Arn"])
    name = match[1][:1].upper() + match[1][1:] if match else ""
    if name not in known:
        raise ValidationException(f"Only SageMaker's own operations are emulated as a target, not {target['Arn']}.")
    return name


def _moment(expression: str, zone: str) -> float:
    match = _AT.fullmatch(expression)
    if match is None:
        raise ValidationException(
            f"Invalid Schedule Expression {expression}: only at(yyyy-mm-ddThh:mm:ss) is emulated."
        )
    try:
        local = datetime.fromisoformat(match[1]).replace(tzinfo=UTC if zone == "UTC" else ZoneInfo(zone))
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise ValidationException(f"Invalid Schedule Expression {expression} in the time zone {zone}.") from error
    return local.timestamp()
