"""AWS's own difficulties, as faults of the proxy: throttling, new roles, expiring tokens."""

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from tests import fake_aws
from tests.moto.proxy import Call, Stub
from tests.orchestration.step_functions import LIMITS, StepFunctions

OUTPUT = {"label": "bicycle", "confidence": 0.99, "inferences": [0.99, 0.01], "threshold": 0.94}
DATA_PLANES = frozenset({"s3", "sagemaker-runtime"})


class EveryTwentieth:
    """Throttles 5 % of the calls of every control plane."""

    def __init__(self) -> None:
        self.throttled: Counter[str] = Counter()
        self._calls = 0
        self._lock = threading.Lock()

    def __call__(self, call: Call) -> ClientError | None:
        if call.service in DATA_PLANES:
            return None
        with self._lock:
            self._calls += 1
            if self._calls % 20:
                return None
            self.throttled[call.name] += 1
        return fake_aws.error("ThrottlingException", "Rate exceeded")


class NewRoles:
    """Refuses the first two calls that name a role, of each operation: IAM is eventually consistent."""

    MESSAGES: Mapping[str, str] = {
        "sagemaker:CreateModel": "Could not assume role r. Please ensure that the role exists",
        "scheduler:CreateSchedule": "The role must allow AWS EventBridge Scheduler to assume the role.",
    }

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()

    def __call__(self, call: Call) -> ClientError | None:
        if call.name not in self.MESSAGES or self.refused[call.name] == 2:
            return None
        self.refused[call.name] += 1
        return fake_aws.error("ValidationException", self.MESSAGES[call.name])


class ExpiredTokens:
    """Refuses an access key ``seconds`` after its beginning, which is its name: see :data:`CREDENTIAL_PROCESS`."""

    def __init__(self, seconds: float) -> None:
        self.keys: set[str] = set()
        self._seconds = seconds

    def __call__(self, call: Call) -> ClientError | None:
        self.keys.add(call.access_key)
        if time.time() - float(call.access_key) < self._seconds:
            return None
        return fake_aws.error("ExpiredTokenException", "The security token included in the request is expired")


# botocore renews credentials 15 minutes before they expire: here, four seconds after they were issued.
CREDENTIAL_PROCESS = """#!/bin/sh
expiry=$(date --utc --date '904 seconds' +%Y-%m-%dT%H:%M:%SZ)
cat <<END
{"Version": 1, "AccessKeyId": "$(date +%s)", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": "$expiry"}
END
"""


class TimedExecutions(StepFunctions):
    """Executions that end, within AWS's token buckets, which refill ten times as fast to save the test a minute."""

    def __init__(self) -> None:
        limits = {name: (size, 10 * refill) for name, (size, refill) in LIMITS.items()}
        super().__init__(seconds=0.5, limits=limits)
        self._last = time.monotonic()

    def list_executions(
        self, stateMachineArn: str, statusFilter: str = "RUNNING", maxResults: int = 1000, nextToken: str = "0"  # noqa: N803
    ) -> dict[str, Any]:  # fmt: skip
        """Return the executions that are running, also to a request that names no status."""
        return super().list_executions(stateMachineArn, statusFilter, maxResults, nextToken)

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        """Return the execution with an output as the state machine has it."""
        described = super().describe_execution(executionArn)
        return described | ({"output": json.dumps(OUTPUT)} if "output" in described else {})

    def stubs(self) -> dict[str, Stub]:
        """Return the stubs by the operations that they answer."""
        return {
            "stepfunctions:StartExecution": self._timed(self.start_execution),
            "stepfunctions:ListExecutions": self._timed(self.list_executions),
            "stepfunctions:DescribeExecution": self._timed(self.describe_execution),
        }

    def _timed(self, operation: Any) -> Stub:
        def stub(**members: Any) -> Any:
            with self._lock:
                passed, self._last = time.monotonic() - self._last, time.monotonic()
            self.sleep(passed)
            return operation(**members)

        return stub
