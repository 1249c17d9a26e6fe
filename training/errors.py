"""Errors of training jobs and endpoints.

SageMakerError
├── ModelArtifactNotFound
├── EndpointNotFound          no endpoint, configuration or model of that name
├── EndpointFailed            carries SageMaker's FailureReason
├── EndpointTimeout           not in service in time; SageMaker continues
├── UnknownRecipe
├── InvalidHyperparameter     the training program would refuse it
├── DatasetNotFound           no staged dataset where the job would read it
├── JobNotFound               no training job of that name
├── JobFailed                 failed or stopped; carries SageMaker's FailureReason
├── JobTimeout                not done in time; the job continues
├── CaptureMissing            data capture did not write every invocation
├── InstanceRefused           AWS does not offer the instance type
├── ContainerImageNotFound    AWS has no such container image in the region
├── SageMakerRefused          AWS refused a call; carries operation, error code and message
│   └── QuotaExceeded
├── QuotaTooLow               names the quota and the page to raise it
└── SageMakerUnreachable      no complete response, or no credentials
"""

import contextlib
from collections.abc import Iterator, Sequence

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, ParamValidationError

from core.aws_errors import error_code
from core.errors import SconesError


class SageMakerError(SconesError):
    """Base of what training jobs and endpoints raise."""


class ModelArtifactNotFound(SageMakerError):
    """There is no object at the URI of the model artifact."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"there is no model artifact at {uri}: upload it first")


class EndpointNotFound(SageMakerError):
    """There is no endpoint, configuration or model of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no endpoint '{name}': deploy it first, or check region and target")


class EndpointFailed(SageMakerError):
    """SageMaker did not bring the endpoint into service, or rolled an update back."""

    def __init__(self, name: str, status: str, reason: str) -> None:
        super().__init__(f"endpoint '{name}' is {status}: {reason}")
        self.status = status


class EndpointTimeout(SageMakerError):
    """The endpoint did not reach a final status within the waiter's timeout."""

    def __init__(self, name: str, status: str, seconds: float) -> None:
        super().__init__(
            f"endpoint '{name}' is still {status} after {seconds:.0f} s: SageMaker continues; "
            "check it with `scones endpoint status`"
        )


class UnknownRecipe(SageMakerError):
    """There is no recipe of that name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"there is no recipe '{name}': choose one of {', '.join(known)}")


class InvalidHyperparameter(SageMakerError):
    """The training program would refuse the hyperparameter."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"hyperparameter {name}: {reason}")


class DatasetNotFound(SageMakerError):
    """There is no staged dataset where the job would read it."""

    def __init__(self, uri: str, min_side: int | None = None) -> None:
        size = f" of {min_side} x {min_side} pixels" if min_side else ""
        option = f" --size {min_side}" if min_side else ""
        super().__init__(f"there is no staged dataset{size} at {uri}: run `scones stage{option}` first")


class JobNotFound(SageMakerError):
    """There is no training job of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no training job '{name}': check region and target")


class JobFailed(SageMakerError):
    """The training job failed or was stopped."""

    def __init__(self, name: str, status: str, reason: str) -> None:
        super().__init__(f"training job '{name}' is {status}: {reason}")
        self.status = status


class JobTimeout(SageMakerError):
    """The training job did not end within the waiter's timeout."""

    def __init__(self, name: str, status: str, seconds: float) -> None:
        super().__init__(
            f"training job '{name}' is still {status} after {seconds:.0f} s: it continues; "
            f"follow it with `scones train --attach {name}`"
        )


class CaptureMissing(SageMakerError):
    """Data capture did not write every invocation to S3 in time."""

    def __init__(self, uri: str, missing: int, invocations: int, seconds: float) -> None:
        super().__init__(
            f"{missing} of {invocations} captures are not under {uri} after {seconds:.0f} s: "
            "check that the endpoint's role may write there"
        )


class InstanceRefused(SageMakerError):
    """AWS does not offer the instance type in this region or to this account."""

    def __init__(self, instance_type: str, message: str) -> None:
        super().__init__(
            f"{instance_type} was refused: {message}; choose another with --instance-type, such as ml.g5.xlarge or "
            "ml.g4dn.xlarge"
        )


class QuotaTooLow(SageMakerError):
    """The account's quota for the instance type is lower than the number of instances needed."""

    def __init__(self, quota: str, value: float, needed: int, url: str) -> None:
        super().__init__(
            f"the quota '{quota}' of this account is {value:g} and {needed} are needed: request an increase at {url}"
        )


class ContainerImageNotFound(SageMakerError):
    """AWS does not offer its own container image in this region."""

    def __init__(self, framework: str, region: str) -> None:
        super().__init__(f"AWS has no container image '{framework}' in {region}: use another recipe or region")


class SageMakerRefused(SageMakerError):
    """AWS refused a call."""

    def __init__(self, operation: str, code: str, message: str) -> None:
        super().__init__(f"{operation} was refused ({code}): {message}")


class QuotaExceeded(SageMakerRefused):
    """The account's quota is used up: request an increase or use another instance type."""


class SageMakerUnreachable(SageMakerError):
    """AWS or the emulator did not respond, other than by refusing the connection, or there are no credentials."""


@contextlib.contextmanager
def translate_errors(action: str) -> Iterator[None]:
    """Raise SageMakerErrors instead of botocore's, except EndpointConnectionError; ``action`` names the failed step."""
    try:
        yield
    except ClientError as error:
        kind = QuotaExceeded if error_code(error) == "ResourceLimitExceeded" else SageMakerRefused
        raise kind(error.operation_name, error_code(error), _message(error)) from error
    except ParamValidationError as error:
        raise SageMakerRefused(action, "ParamValidation", str(error)) from error
    except EndpointConnectionError:  # it names the URL, for which the command line has a remedy
        raise
    except BotoCoreError as error:
        raise SageMakerUnreachable(f"{action}: {error}") from error
    except ValueError as error:  # of the SDK's pydantic models, whose class takes 0.1 s to import
        if type(error).__name__ != "ValidationError":
            raise
        raise SageMakerRefused(action, "ParamValidation", str(error)) from error


@contextlib.contextmanager
def translate_instance_errors(instance_type: str) -> Iterator[None]:
    """Raise InstanceRefused where AWS refuses a call because of the instance type."""
    try:
        yield
    except ClientError as error:
        if error_code(error) == "ValidationException" and "instance" in _message(error).lower():
            raise InstanceRefused(instance_type, _message(error)) from error
        raise


@contextlib.contextmanager
def ignore_existing() -> Iterator[None]:
    """Ignore that a resource exists already: right where its name is a digest of its content."""
    try:
        yield
    except ClientError as error:
        if "already existing" not in _message(error):
            raise


@contextlib.contextmanager
def ignore_missing() -> Iterator[None]:
    """Ignore that a resource to be deleted does not exist."""
    try:
        yield
    except ClientError as error:
        if not is_missing(error):
            raise


def is_missing(error: ClientError) -> bool:
    """Tell whether SageMaker did not find a resource, for which it has no specific error code."""
    return error_code(error) == "ValidationException" and "Could not find" in _message(error)


def _message(error: ClientError) -> str:
    return str(error.response["Error"]["Message"])
