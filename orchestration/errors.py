"""What can go wrong between the command line and a deployed stack.

OrchestrationError
├── StackError
│   ├── StackMissing
│   ├── BootstrapMissing
│   ├── StackBusy
│   ├── ParametersUnknown
│   └── StackFailed
├── ImageError
│   ├── EngineUnavailable
│   ├── ImageBuildFailed
│   └── ImagePushFailed
├── ExecutionTimeout
├── ExecutionUnknown
├── HistoryUnavailable
├── BatchFailed
└── MessagesKept
"""

from collections.abc import Sequence

from core.errors import SconesError


class OrchestrationError(SconesError):
    """Base of this package's errors."""


class StackError(OrchestrationError):
    """Base of the errors about the CloudFormation stack."""


class StackMissing(StackError):
    """No stack of that name is deployed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no stack named '{name}' is deployed here: run `scones deploy` first")


class BootstrapMissing(StackError):
    """The account and region have no bootstrap stack."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the bootstrap stack '{name}' does not exist in this region: run `scones bootstrap`")


class StackBusy(StackError):
    """Another deployment is changing the stack."""

    def __init__(self, name: str, status: str) -> None:
        super().__init__(f"stack '{name}' is {status}: wait until that has ended, then try again")


class ParametersUnknown(StackError):
    """The template has no such parameters."""

    def __init__(self, names: Sequence[str], known: Sequence[str]) -> None:
        super().__init__(f"the template has no parameter {', '.join(names)}: it has {', '.join(known)}")


class StackFailed(StackError):
    """The stack did not reach its goal; ``reason`` is the first real one, not that of what was cancelled after it."""

    def __init__(self, name: str, status: str, reason: str) -> None:
        super().__init__(f"stack '{name}' ended as {status}: {reason}")
        self.status = status
        self.reason = reason


class ImageError(OrchestrationError):
    """Base of the errors about the functions' container images."""


class EngineUnavailable(ImageError):
    """No Docker engine answers, and an image has to be built."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"no Docker engine answers ({reason}): start Docker, or set DOCKER_HOST to where it is")


class ImageBuildFailed(ImageError):
    """A step of a Dockerfile failed; ``said`` is what the engine printed before."""

    def __init__(self, name: str, reason: str, said: Sequence[str] = ()) -> None:
        last = f" - before that: {' | '.join(said[-3:])}" if said else ""
        super().__init__(f"the image '{name}' was not built: {reason.strip()}{last}")
        self.said = tuple(said)


class ImagePushFailed(ImageError):
    """The registry did not take an image."""

    def __init__(self, name: str, repository: str, reason: str) -> None:
        super().__init__(f"the image '{name}' was not pushed to {repository}: {reason.strip()}")


class ExecutionTimeout(OrchestrationError):
    """Executions were still running when the caller's patience ended."""

    def __init__(self, running: int, seconds: float) -> None:
        super().__init__(
            f"{running} executions still running after {seconds:.0f} s: they go on, "
            "and the state machine's console shows them"
        )
        self.running = running


class ExecutionUnknown(OrchestrationError):
    """No execution has that name or ARN."""

    def __init__(self, execution: str) -> None:
        advice = "give the ARN that `scones run --json` prints, or the name in it"
        if "/" in execution.rpartition(":")[0].rpartition(":")[2]:
            advice = "an image of a batch has no history of its own here, the batch's results.json says how it ended"
        super().__init__(f"there is no execution '{execution}': {advice}")


class HistoryUnavailable(OrchestrationError):
    """An Express workflow keeps its history in CloudWatch Logs only."""

    def __init__(self, execution: str) -> None:
        super().__init__(
            f"'{execution}' is an execution of an Express workflow: its history is in its log group in CloudWatch only"
        )


class BatchFailed(OrchestrationError):
    """A batch came to an end without results."""

    def __init__(self, execution_arn: str, status: str, error: str | None, cause: str | None) -> None:
        why = f" ({error}: {cause})" if error else ""
        super().__init__(f"the batch {execution_arn} ended as {status}{why}: `scones show` tells where")
        self.status = status


class MessagesKept(OrchestrationError):
    """SQS did not delete messages that were done with."""

    def __init__(self, count: int, reason: str) -> None:
        super().__init__(f"{count} messages that are done with stay in the queue ({reason}): run the command again")
