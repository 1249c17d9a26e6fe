"""The errors of this package.

OrchestrationError
├── StackError
│   ├── StackNotFound
│   ├── OutputMissing
│   ├── BootstrapMissing
│   ├── InvalidStackName
│   ├── InvalidEndpointName
│   ├── StackBusy
│   ├── ParametersUnknown
│   ├── RevisionMissing
│   ├── StackProtected
│   └── StackFailed
├── ContainerImageError
│   ├── EngineUnavailable
│   ├── RepositoryNotFound
│   ├── ImageBuildFailed
│   └── ImagePushFailed
├── ExecutionTimeout
├── ExecutionNotFound
├── HistoryUnavailable
├── BatchFailed
└── ObjectsNotDeleted
"""

from collections.abc import Iterable, Sequence

from core.errors import SconesError


class OrchestrationError(SconesError):
    """Base of this package's errors."""


class StackError(OrchestrationError):
    """Base of the errors about the CloudFormation stack."""


class StackNotFound(StackError):
    """No stack of that name is deployed."""

    def __init__(self, name: str, region: str) -> None:
        super().__init__(f"no stack named '{name}' is deployed in {region}: run `scones deploy` first")


class OutputMissing(StackError):
    """The stack has no such output, as one of an older template."""

    def __init__(self, output: str) -> None:
        super().__init__(f"the stack has no output {output}: update it with `scones deploy`")


class BootstrapMissing(StackError):
    """The account and region have no bootstrap stack."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the bootstrap stack '{name}' does not exist in this region: run `scones bootstrap`")


class InvalidStackName(StackError):
    """The names that derive from the stack's would break AWS's rules."""

    def __init__(self, name: str, longest: int) -> None:
        self.rule = (
            f"use at most {longest} lower-case letters, digits and single hyphens, beginning with a letter, "
            "because the name is part of a bucket's"
        )
        super().__init__(f"'{name}' cannot name the stack: {self.rule}")


class InvalidEndpointName(StackError):
    """SageMaker's ARNs could not have this name."""

    def __init__(self, name: str, longest: int) -> None:
        super().__init__(
            f"'{name}' cannot name the endpoint: use at most {longest} lower-case letters, digits and inner hyphens"
        )


class StackBusy(StackError):
    """Another operation on the stack is in progress."""

    def __init__(self, name: str, status: str) -> None:
        super().__init__(f"stack '{name}' is {status}: try again when that operation has ended")


class ParametersUnknown(StackError):
    """The template has no such parameters."""

    def __init__(self, names: Sequence[str], known: Sequence[str]) -> None:
        super().__init__(f"the template has no parameter {', '.join(names)}: it has {', '.join(known)}")


class RevisionMissing(StackError):
    """The stack has no earlier deployment to return to."""

    def __init__(self, name: str) -> None:
        super().__init__(f"stack '{name}' has no earlier deployment to roll back to")


class StackProtected(StackError):
    """Termination protection keeps the stack from being deleted."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"stack '{name}' has termination protection: turn it off with `scones deploy --no-termination-protection`"
        )


class StackFailed(StackError):
    """A deployment or deletion failed; ``reason`` is that of the first resource that failed, not of a cancelled one."""

    def __init__(self, name: str, status: str, reason: str, what: str = "stack") -> None:
        super().__init__(f"{what} '{name}' ended as {status}: {reason}")


class ContainerImageError(OrchestrationError):
    """Base of the errors about container images."""


class EngineUnavailable(ContainerImageError):
    """An image has to be built and the Docker engine does not respond."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the Docker engine does not respond ({reason}): start Docker, or set DOCKER_HOST")


class RepositoryNotFound(ContainerImageError):
    """ECR has no repository for an image."""

    def __init__(self, name: str) -> None:
        super().__init__(f"ECR has no repository '{name}' in this region: run `scones bootstrap`")


class ImageBuildFailed(ContainerImageError):
    """A step of a Dockerfile failed; ``output`` are the lines that it printed before."""

    def __init__(self, name: str, reason: str, output: Iterable[str] = ()) -> None:
        lines = list(output)
        last = f" - last output: {' | '.join(lines[-3:])}" if lines else ""
        super().__init__(f"the image '{name}' could not be built: {reason.strip()}{last}")


class ImagePushFailed(ContainerImageError):
    """The registry refused an image."""

    def __init__(self, name: str, repository: str, reason: str) -> None:
        super().__init__(f"the image '{name}' could not be pushed to {repository}: {reason.strip()}")


class ExecutionTimeout(OrchestrationError):
    """Executions were still running at the end of the waiter's timeout."""

    def __init__(self, running: int, seconds: float) -> None:
        super().__init__(
            f"{running} executions are still running after {seconds:.0f} s; `scones show` prints the history of one"
        )


class ExecutionNotFound(OrchestrationError):
    """No execution has that name or ARN."""

    def __init__(self, execution: str) -> None:
        advice = "use the ARN that `scones run --json` prints, or the name in it"
        if "/" in execution.rpartition(":")[0].rpartition(":")[2]:
            advice = "images of a batch have no history; the batch's results.json has their outcomes"
        super().__init__(f"execution '{execution}' does not exist: {advice}")


class HistoryUnavailable(OrchestrationError):
    """An Express workflow has its history in CloudWatch Logs only."""

    def __init__(self, execution: str) -> None:
        super().__init__(
            f"'{execution}' is an execution of an Express workflow, whose history is in CloudWatch Logs only"
        )


class BatchFailed(OrchestrationError):
    """A batch ended without results."""

    def __init__(self, execution_arn: str, status: str, error: str | None, cause: str | None) -> None:
        why = f" ({error}: {cause})" if error else ""
        super().__init__(f"the batch {execution_arn} ended as {status}{why}: `scones show` prints its history")


class ObjectsNotDeleted(OrchestrationError):
    """S3 refused to delete objects of a bucket that is to be emptied."""

    def __init__(self, bucket: str, count: int, reason: str) -> None:
        super().__init__(f"{count} objects in {bucket} could not be deleted: {reason}")
