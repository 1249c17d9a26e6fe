"""What LocalStack finds under the entry point group ``localstack.lambda.runtime_executor``."""

from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin


class FunctionExecutorPlugin(RuntimeExecutorPlugin):
    """Chosen with ``LAMBDA_RUNTIME_EXECUTOR=scones``."""

    name = "scones"

    def load(self) -> type:
        """Return the executor class."""
        from .executor import FunctionExecutor  # noqa: PLC0415 - LocalStack loads its Lambda service lazily

        return FunctionExecutor
