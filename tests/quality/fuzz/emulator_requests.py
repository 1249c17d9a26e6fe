"""Random requests for the SageMaker emulator, made from a seed: right, nearly right, and damaged."""

import json
import random
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from emulation.sagemaker import validation
from emulation.sagemaker.control.control_plane import AUTOSCALING, OPERATIONS
from tests.emulation.sagemaker.emulator import capture_config
from tests.emulation.sagemaker.training_requests import channel
from tests.emulation.sagemaker.training_requests import request as training_request

MODEL = botocore.session.get_session().get_service_model("sagemaker")
SCALING = botocore.session.get_session().get_service_model("application-autoscaling")
SCHEDULER = botocore.session.get_session().get_service_model("scheduler")
NAMES = ("a", "b", "c", "D-1", "x" * 63)
KINDS = ("model", "endpoint", "endpoint-config", "training-job", "hub")
WORDS = (
    *NAMES,
    *(f"arn:aws:sagemaker:us-east-1:000000000000:{kind}/a" for kind in KINDS),
    "arn:aws:iam::000000000000:role/r",
    "s3://b/key",
    "s3://b/nothing",
    "text/csv",
    "sagemaker",
    "sagemaker:variant:DesiredInstanceCount",
    "endpoint/a/variant/AllTraffic",
    "at(2099-01-01T00:00:00)",
    "at(0001-01-01T00:00:00)",
    "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint",
    "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1",
    "../../../../tmp/escape",
    "..",
    "a/../../b",
    "",
    "\x00",
    "\ud800",
    "ü" * 300,
    "9" * 5000,
)
NUMBERS = (0, 1, 2, 50, 100, -1, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308)
HEADERS = (
    "content-type",
    "accept",
    "x-amzn-sagemaker-inference-id",
    "x-amzn-sagemaker-target-variant",
    "x-amzn-sagemaker-target-model",
    "x-amzn-sagemaker-custom-attributes",
    "x-amzn-sagemaker-session-id",
    "x-amz-target",
    "transfer-encoding",
    "expect",
)

AWS_JSON = {"content-type": "application/x-amz-json-1.1"}


@dataclass
class Sent:
    """One request."""

    method: str
    path: str
    body: bytes
    headers: dict[str, str]


class Attacker:
    """Makes requests from a seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def request(self) -> Sent:
        """Return the next request."""
        kind = self.chance.random()
        if kind < 0.3:
            return self._invocation()
        if kind < 0.4:
            return self._of_scaling_or_schedules()
        operation = self.chance.choice(sorted(OPERATIONS))
        if self.chance.random() < 0.3:
            body = json.dumps(sensible(operation, *self.chance.choices(NAMES, k=2))).encode()
            return Sent("POST", "/", body, {**AWS_JSON, "x-amz-target": f"SageMaker.{operation}"})
        shape = MODEL.operation_model(operation).input_shape
        body = json.dumps(self._value(shape, strict=self.chance.random() < 0.6)).encode()
        sent = Sent("POST", "/", body, {**AWS_JSON, "x-amz-target": f"SageMaker.{operation}"})
        return sent if self.chance.random() < 0.6 else self._damaged(sent)

    def _invocation(self) -> Sent:
        name = self.chance.choice(WORDS)
        path = f"/endpoints/{quote(name.encode('utf-8', 'replace'), safe='')}/invocations"
        headers = {
            header: self.chance.choice(WORDS).encode("latin-1", "replace").decode("latin-1").replace("\x00", "")
            for header in self.chance.sample(HEADERS[:7], self.chance.randrange(4))
        }
        sent = Sent("POST", path, self.chance.randbytes(self.chance.randrange(400)), headers)
        return sent if self.chance.random() < 0.7 else self._damaged(sent)

    def _of_scaling_or_schedules(self) -> Sent:
        strict = self.chance.random() < 0.6
        if self.chance.random() < 0.5:
            operation = self.chance.choice(sorted(AUTOSCALING))
            body = self._value(SCALING.operation_model(operation).input_shape, strict=strict)
            headers = AWS_JSON | {"x-amz-target": f"{SCALING.metadata['targetPrefix']}.{operation}"}
            sent = Sent("POST", "/", json.dumps(body).encode(), headers)
        else:
            operation = self.chance.choice(("CreateSchedule", "UpdateSchedule", "GetSchedule", "DeleteSchedule"))
            model = SCHEDULER.operation_model(operation)
            body = self._value(model.input_shape, strict=strict)
            name = self.chance.choice(WORDS).encode("utf-8", "replace")
            headers, path = {"content-type": "application/json"}, f"/schedules/{quote(name, safe='')}"
            sent = Sent(str(model.http["method"]), path, json.dumps(body).encode(), headers)
        return sent if self.chance.random() < 0.7 else self._damaged(sent)

    def raw(self, sent: Sent) -> bytes:
        """Return a request as bytes of HTTP, some of them changed."""
        lines = [f"{sent.method} {sent.path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(sent.body)}"]
        lines += [f"{name}: {value}" for name, value in sent.headers.items()]
        data = bytearray("\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + sent.body)
        for _ in range(self.chance.randrange(1, 8)):
            at = self.chance.randrange(min(len(data), 200))
            data[at : at + self.chance.randrange(3)] = self.chance.randbytes(self.chance.randrange(3))
        return bytes(data)

    def _damaged(self, sent: Sent) -> Sent:
        body = bytearray(sent.body)
        for _ in range(self.chance.randrange(1, 6)):
            at, to = (self.chance.randrange(len(body) + 1) for _ in range(2))
            change = self.chance.randrange(5)
            if change == 0 and at < len(body):
                body[at] = self.chance.randrange(256)
            elif change == 1:
                del body[min(at, to) : max(at, to)]
            elif change == 2:
                body[at:at] = self.chance.randbytes(3)
            elif change == 3:
                body[at:at] = body[min(at, to) : max(at, to)][:2000]
            else:
                body[at:at] = self.chance.choice((b"[" * 3000, b'{"a":', b"NaN", b"null", b"1e999", b'"\\ud800"', b"-"))
        if self.chance.random() < 0.1:
            sent.method = self.chance.choice(("GET", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"))
        if self.chance.random() < 0.1:
            sent.path = self.chance.choice(
                ("/_scones/health", "/_scones/faults", "//", "/%00", "/endpoints/a", "/../x")
            )
        if self.chance.random() < 0.1:
            sent.headers = AWS_JSON | {
                "x-amz-target": self.chance.choice(WORDS).encode("ascii", "replace").decode().replace("\x00", "")
            }
        return Sent(sent.method, sent.path, bytes(body), sent.headers)

    def _value(  # noqa: PLR0911 - one for each type
        self, shape: Shape | None, *, strict: bool, depth: int = 0
    ) -> Any:
        if not strict and self.chance.random() < 0.05:
            return self.chance.choice((None, [], {}, True, "x", 7, 1.5))
        if isinstance(shape, StructureShape):
            names = [
                name
                for name in shape.members
                if (name in shape.required_members and (strict or self.chance.random() < 0.9))
                or self.chance.random() < (0.2 if depth < 2 else 0.05)
            ]
            return {name: self._value(shape.members[name], strict=strict, depth=depth + 1) for name in names}
        if isinstance(shape, ListShape):
            count = max(self.chance.randrange(3), shape.metadata.get("min", 0) if strict else 0)
            return [self._value(shape.member, strict=strict, depth=depth + 1) for _ in range(min(count, 5))]
        if isinstance(shape, MapShape):
            keys = ("KEY", "PYTHONPATH", "num_classes", "sagemaker_program")
            return {
                key: self._value(shape.value, strict=strict, depth=depth + 1)
                for key in keys[: self.chance.randrange(5)]
            }
        if isinstance(shape, StringShape):
            return self._text(shape, strict=strict)
        if shape is None or shape.type_name == "boolean":
            return self.chance.random() < 0.5
        return self._number(shape, strict=strict)

    def _text(self, shape: StringShape, *, strict: bool) -> str:
        if not strict:
            return self.chance.choice(WORDS)
        good: list[str] = shape.enum or [word for word in WORDS if not list(validation.violations(word, shape))]
        return self.chance.choice(good or WORDS)

    def _number(self, shape: Shape, *, strict: bool) -> float:
        if not strict:
            return self.chance.choice(NUMBERS)
        least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 100)
        return self.chance.randint(least, max(least, min(most, 2**31)))


def sensible(operation: str, name: str, other: str) -> dict[str, Any]:
    """Return a request that succeeds where what it names is there."""
    variant = {"VariantName": "A", "ModelName": name, "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:endpoint/{name}"
    bodies: dict[str, dict[str, Any]] = {
        "CreateModel": {"ModelName": name, "PrimaryContainer": {"Image": "x/y:1"}},
        "CreateEndpointConfig": {
            "EndpointConfigName": name,
            "ProductionVariants": [variant],
            "DataCaptureConfig": capture_config(100),
        },
        "CreateEndpoint": {"EndpointName": name, "EndpointConfigName": other},
        "UpdateEndpoint": {"EndpointName": name, "EndpointConfigName": other, "RetainAllVariantProperties": True},
        "UpdateEndpointWeightsAndCapacities": {
            "EndpointName": name,
            "DesiredWeightsAndCapacities": [{"VariantName": "A", "DesiredWeight": 2.0}],
        },
        "CreateTrainingJob": training_request(name, InputDataConfig=[channel("train", "s3://b/key")]),
        "AddTags": {"ResourceArn": arn, "Tags": [{"Key": other, "Value": name}]},
        "ListTags": {"ResourceArn": arn},
        "DeleteTags": {"ResourceArn": arn, "TagKeys": [other]},
    }
    kind = operation.removeprefix("Describe").removeprefix("Delete").removeprefix("Stop")
    return bodies.get(operation, {} if operation.startswith("List") else {f"{kind}Name": name})
