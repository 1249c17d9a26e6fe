"""The executor that LocalStack calls: it posts each invocation to the function's container or process."""

import logging
import time
from functools import cache

from localstack.aws.api.lambda_ import ServiceException, TooManyRequestsException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from . import settings
from .errors import ContainerBusy, ContainerError, ContainerUnreachable
from .function_container import FunctionContainer, FunctionContainers
from .host_protocol import FunctionConfiguration
from .zip_functions import ZipFunctions

LOG = logging.getLogger(__name__)


@cache
def _containers() -> FunctionContainers:
    return FunctionContainers(settings.function_containers())


@cache
def _zip_functions() -> ZipFunctions:
    return ZipFunctions(settings.zip_host())


def _container(version: FunctionVersion) -> FunctionContainer:
    image = version.config.image
    if image is None:
        return _zip_functions().container(version)
    return _containers().for_image(image.image_uri)


def _configuration(version: FunctionVersion) -> FunctionConfiguration:
    config = version.config
    return FunctionConfiguration(
        version.id.function_name, config.timeout, config.memory_size, dict(config.environment or {})
    )


class FunctionExecutor(RuntimeExecutor):
    """Runs a container-image function in its existing container, and a zip function in its own process."""

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Send the container its configuration now, so that it is warm at the first invocation.

        A function that cannot run fails to be created; a container that is not up yet is configured later.
        """
        container = _container(function_version)
        try:
            container.configure(_configuration(function_version))
        except ContainerError as error:
            LOG.info("%s is not ready yet: %s", function_version.id.function_name, error)

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Stop the process of a zip function; a container keeps running, because LocalStack did not start it."""
        if function_version.config.image is None:
            _zip_functions().end(function_version)

    def start(self, env_vars: dict[str, str]) -> None:
        """Do nothing with LocalStack's own variables; the function's are sent by ``invoke``."""

    def stop(self) -> None:
        """Do nothing: the container outlives LocalStack's execution environments."""

    def get_address(self) -> str:
        """Return the container's URL."""
        return _container(self.function_version).url

    def get_endpoint_from_executor(self) -> str:
        """Return a host name that is not used: the AWS endpoints are set when a container is started."""
        return "localhost"

    def get_runtime_endpoint(self) -> str:
        """Return no callback address: the response comes with the request."""
        return ""

    def get_logs(self) -> str:
        """Return nothing: the container has its own log."""
        return ""

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Send the invocation and return its result.

        Raises what Step Functions calls Lambda.ServiceException and Lambda.TooManyRequestsException, and may retry.
        """
        request_id = payload["invoke-id"]
        started = time.perf_counter()
        try:
            response = _container(self.function_version).invoke(
                payload["payload"].encode(), request_id, _configuration(self.function_version)
            )
        except ContainerBusy as error:
            raise TooManyRequestsException(str(error)) from error
        except ContainerUnreachable as error:
            raise ServiceException(str(error)) from error
        return InvocationResult(
            request_id,
            response.payload,
            response.is_error,
            self._log(request_id, response.log, time.perf_counter() - started),
        )

    def _log(self, request_id: str, written: str, seconds: float) -> str:
        """Return what CloudWatch Logs and the log tail get: the function's own lines between those of the service."""
        milliseconds = seconds * 1000
        return (
            f"START RequestId: {request_id} Version: {self.function_version.id.qualifier}\n"
            f"{written}{'' if not written or written.endswith(chr(10)) else chr(10)}"
            f"END RequestId: {request_id}\n"
            f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\t"
            f"Memory Size: {self.function_version.config.memory_size} MB\n"
        )
