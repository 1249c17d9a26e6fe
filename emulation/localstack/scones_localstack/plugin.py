"""What LocalStack finds under the entry point group ``localstack.lambda.runtime_executor``."""

from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin


class ContainerExecutorPlugin(RuntimeExecutorPlugin):
    """Chosen with ``LAMBDA_RUNTIME_EXECUTOR=scones``."""

    name = "scones"

    def load(self) -> type:
        """Return the executor class."""
        from .executor import ContainerExecutor  # noqa: PLC0415 - LocalStack loads its Lambda service lazily

        return ContainerExecutor
