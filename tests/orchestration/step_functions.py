"""Step Functions in memory, with AWS's rate limits and a clock that only waiting advances."""

import json
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from core.waiting import WaiterConfig
from tests import fake_aws

STATE_MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:classify"
EPOCH = datetime(2026, 3, 1, tzinfo=UTC)

# Bucket size and refill a second: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
LIMITS = {"start_execution": (1300, 300), "describe_execution": (300, 15), "list_executions": (200, 10)}


class StepFunctions:
    """Runs each execution for ``seconds``; one whose key begins with ``bad`` fails.

    With ``limits``, an operation that has used up its tokens is throttled.
    """

    def __init__(self, seconds: float = 0.2, limits: Mapping[str, tuple[float, float]] | None = None) -> None:
        self.seconds = seconds
        self.now = 0.0
        self.started: dict[str, tuple[float, str]] = {}
        self.calls: Counter[str] = Counter()
        self.throttled: Counter[str] = Counter()
        self._limits = limits or {}
        self._tokens = {name: float(size) for name, (size, _) in self._limits.items()}
        self._lock = threading.Lock()

    def client(self) -> Any:
        return fake_aws.client("stepfunctions", self)

    def waiter(self, timeout_seconds: float = 600.0, poll_seconds: float = 0.1) -> WaiterConfig:
        return WaiterConfig(timeout_seconds, poll_seconds, sleep=self.sleep, clock=lambda: self.now)

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds
            for name, (size, refill) in self._limits.items():
                self._tokens[name] = min(size, self._tokens[name] + refill * seconds)

    def describe_state_machine(self, stateMachineArn: str) -> dict[str, Any]:  # noqa: N803
        role = "arn:aws:iam::123456789012:role/r"
        return {
            "stateMachineArn": stateMachineArn, "name": "classify", "definition": "{}", "roleArn": role,
            "type": "STANDARD", "creationDate": EPOCH,
        }  # fmt: skip

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:  # noqa: A002, N803
        self._take("start_execution")
        arn = f"{stateMachineArn.replace(':stateMachine:', ':execution:')}:{name}"
        with self._lock:
            self.started[arn] = (self.now, input)
        return {"executionArn": arn, "startDate": EPOCH + timedelta(seconds=self.now)}

    def list_executions(
        self, stateMachineArn: str, statusFilter: str, maxResults: int, nextToken: str = "0"  # noqa: N803
    ) -> dict[str, Any]:  # fmt: skip
        self._take("list_executions")
        assert statusFilter == "RUNNING"
        running = [arn for arn, (begun, _) in self.started.items() if self.now < begun + self.seconds]
        first = int(nextToken)
        entries = [
            {"executionArn": arn, "stateMachineArn": stateMachineArn, "name": arn.rpartition(":")[2],
             "status": statusFilter, "startDate": self._begun(arn)}
            for arn in running[first : first + maxResults]
        ]  # fmt: skip
        more = {"nextToken": str(first + maxResults)} if first + maxResults < len(running) else {}
        return {"executions": entries, **more}

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        self._take("describe_execution")
        status, begun = self._status(executionArn), self._begun(executionArn)
        described = {
            "executionArn": executionArn,
            "stateMachineArn": STATE_MACHINE,
            "status": status,
            "startDate": begun,
        }
        if status == "RUNNING":
            return described
        described["stopDate"] = begun + timedelta(seconds=self.seconds)
        if status == "FAILED":
            return {**described, "error": "ImageNotFound", "cause": '{"errorMessage": "no such key"}'}
        return {**described, "output": '{"label": "bicycle"}'}

    def _begun(self, arn: str) -> datetime:
        return EPOCH + timedelta(seconds=self.started[arn][0])

    def _status(self, arn: str) -> str:
        begun, payload = self.started[arn]
        if self.now < begun + self.seconds:
            return "RUNNING"
        return "FAILED" if json.loads(payload)["s3_key"].startswith("bad") else "SUCCEEDED"

    def _take(self, operation: str) -> None:
        with self._lock:
            self.calls[operation] += 1
            if operation not in self._limits:
                return
            if self._tokens[operation] < 1:
                self.throttled[operation] += 1
                raise fake_aws.error("ThrottlingException", "Rate exceeded")
            self._tokens[operation] -= 1
