"""What can go wrong between the command line and a deployed stack.

OrchestrationError
├── StackError
│   ├── StackMissing
│   ├── StackBusy
│   └── StackFailed
└── ExecutionTimeout
"""


class OrchestrationError(Exception):
    """Base of this wing's errors."""


class StackError(OrchestrationError):
    """Base of the errors about the CloudFormation stack."""


class StackMissing(StackError):
    """No stack of that name is deployed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no stack named '{name}' is deployed here: run `scones deploy` first")


class StackBusy(StackError):
    """Another deployment is changing the stack."""

    def __init__(self, name: str, status: str) -> None:
        super().__init__(f"stack '{name}' is {status}: wait until that has ended, then try again")


class StackFailed(StackError):
    """The stack did not reach its goal; ``reason`` is the first real one, not that of what was cancelled after it."""

    def __init__(self, name: str, status: str, reason: str) -> None:
        super().__init__(f"stack '{name}' ended as {status}: {reason}")
        self.status = status
        self.reason = reason


class ExecutionTimeout(OrchestrationError):
    """Executions were still running when the caller's patience ended."""

    def __init__(self, running: int, seconds: float) -> None:
        super().__init__(
            f"{running} executions still running after {seconds:.0f} s: they go on, "
            "and the state machine's console shows them"
        )
        self.running = running
