"""What can go wrong in training jobs, and between a model's archive in S3 and an endpoint that serves it.

HostingError
├── ArtefactMissing      there is no object where the model's archive should be
├── EndpointMissing      no endpoint, configuration or model of that name
├── EndpointFailed       SageMaker gave up; carries its FailureReason
├── EndpointTimeout      not there in time; SageMaker goes on trying
├── UnknownRecipe        there is no training recipe of that name
├── InvalidHyperparameter the recipe's program would refuse it
├── DatasetMissing       nothing is staged where the job would read
├── JobMissing           no training job of that name
├── JobFailed            the job failed or was stopped; carries its FailureReason
├── JobTimeout           not done in time; the job goes on
├── CaptureMissing       calls were answered, and their captures did not come
├── InstanceRefused      AWS does not offer this instance type here
├── RoleMissing          the stack has no role for this
├── InvalidTtl           a life that is no duration
├── SageMakerRefused     a call was refused; carries the operation, the error code and the message
│   └── QuotaExceeded    the account may not have one more of these
├── QuotaIsZero          the account may have none of these; names the quota and where to ask for more
└── SageMakerUnreachable nobody answers
"""

import contextlib
from collections.abc import Iterator, Sequence

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from core.errors import SconesError


class HostingError(SconesError):
    """Anything that deploying, describing or deleting an endpoint raises on purpose."""


class ArtefactMissing(HostingError):
    """There is no object at the model's URL."""

    def __init__(self, url: str) -> None:
        super().__init__(f"there is no model archive at {url}; upload it first")
        self.url = url


class EndpointMissing(HostingError):
    """Nothing of that name is deployed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no endpoint {name!r}; deploy it first, or see whether region and target are right")
        self.name = name


class EndpointFailed(HostingError):
    """SageMaker could not bring the endpoint into service, or rolled an update back."""

    def __init__(self, name: str, status: str, reason: str) -> None:
        super().__init__(f"endpoint {name!r} is {status}: {reason}")
        self.name = name
        self.status = status
        self.reason = reason


class EndpointTimeout(HostingError):
    """The endpoint did not get there in the time that the caller would wait."""

    def __init__(self, name: str, status: str, seconds: float) -> None:
        super().__init__(
            f"endpoint {name!r} is still {status} after {seconds:.0f} s; SageMaker goes on, ask for it later"
        )
        self.name = name
        self.status = status
        self.seconds = seconds


class UnknownRecipe(HostingError):
    """There is no such recipe."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"there is no recipe {name!r}: it must be one of {', '.join(known)}")
        self.name = name


class InvalidHyperparameter(HostingError):
    """The recipe's program would refuse this."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"hyperparameter {name}: {reason}")
        self.name = name


class DatasetMissing(HostingError):
    """Nothing is staged where a job would read."""

    def __init__(self, where: str, side: int | None = None) -> None:
        large = f" of {side} pixels a side" if side else ""
        option = f" --size {side}" if side else ""
        super().__init__(f"there is no staged data set{large} at {where}: run `scones stage{option}` first")
        self.where = where


class JobMissing(HostingError):
    """There is no training job of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no training job {name!r}: see whether region and target are right")
        self.name = name


class JobFailed(HostingError):
    """A training job failed or was stopped."""

    def __init__(self, name: str, status: str, reason: str) -> None:
        super().__init__(f"training job {name!r} is {status}: {reason}")
        self.name = name
        self.status = status
        self.reason = reason


class JobTimeout(HostingError):
    """A training job did not end in the time that the caller would wait."""

    def __init__(self, name: str, status: str, seconds: float) -> None:
        super().__init__(
            f"training job {name!r} is still {status} after {seconds:.0f} s; it goes on: `scones train --attach {name}`"
        )
        self.name = name


class CaptureMissing(HostingError):
    """Calls were answered, and their captures did not come to S3 in time."""

    def __init__(self, where: str, missing: int, sent: int, seconds: float) -> None:
        super().__init__(
            f"{missing} of {sent} captures are not under {where} after {seconds:.0f} s: "
            "may the endpoint's role write there?"
        )
        self.where = where


class InstanceRefused(HostingError):
    """AWS does not offer this instance type here."""

    def __init__(self, instance_type: str, message: str) -> None:
        super().__init__(
            f"{instance_type} was refused: {message}. AWS withdrew the P3 instances; "
            "take --instance-type ml.g5.xlarge or ml.g4dn.xlarge"
        )
        self.instance_type = instance_type


class QuotaIsZero(HostingError):
    """The account may have none of these."""

    def __init__(self, quota: str, link: str) -> None:
        super().__init__(f"the quota '{quota}' of this account is 0: ask for more at {link}")
        self.quota = quota
        self.link = link


class RoleMissing(HostingError):
    """The stack has no role for this."""

    def __init__(self, output: str) -> None:
        super().__init__(f"the stack has no output {output}: update it with `scones deploy`")
        self.output = output


class InvalidTtl(HostingError):
    """A life that is no duration."""

    def __init__(self, text: str) -> None:
        super().__init__(f"'{text}' is no duration: write 30m, 4h or 2d")
        self.text = text


class SageMakerRefused(HostingError):
    """A call was refused."""

    def __init__(self, operation: str, code: str, message: str) -> None:
        super().__init__(f"{operation} was refused ({code}): {message}")
        self.operation = operation
        self.code = code
        self.message = message


class QuotaExceeded(SageMakerRefused):
    """The account may not have one more of these; ask for a higher quota, or take another instance type."""


class SageMakerUnreachable(HostingError):
    """Nobody answers where SageMaker or S3 should be."""


@contextlib.contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise this tree's errors in place of botocore's; ``doing`` names what was being done."""
    try:
        yield
    except ClientError as error:
        kind = QuotaExceeded if _code(error) == "ResourceLimitExceeded" else SageMakerRefused
        raise kind(error.operation_name, _code(error), _message(error)) from error
    except ParamValidationError as error:
        raise SageMakerRefused(doing, "ParamValidation", str(error)) from error
    except BotoCoreError as error:
        raise SageMakerUnreachable(f"{doing}: {error}") from error


@contextlib.contextmanager
def instance_refused(instance_type: str) -> Iterator[None]:
    """Raise InstanceRefused where a call is refused because of the instance type itself."""
    try:
        yield
    except ClientError as error:
        if _code(error) == "ValidationException" and "instance" in _message(error).lower():
            raise InstanceRefused(instance_type, _message(error)) from error
        raise


@contextlib.contextmanager
def existing_is_fine() -> Iterator[None]:
    """Pass over the refusal to create what exists already: right where the name says what is in it."""
    try:
        yield
    except ClientError as error:
        if "already existing" not in _message(error):
            raise


@contextlib.contextmanager
def missing_is_fine() -> Iterator[None]:
    """Pass over the refusal to delete what is gone already."""
    try:
        yield
    except ClientError as error:
        if not is_missing(error):
            raise


def is_missing(error: ClientError) -> bool:
    """Say whether this is SageMaker's way to say that something is not there: it has no error code for that."""
    return _code(error) == "ValidationException" and "Could not find" in _message(error)


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def _message(error: ClientError) -> str:
    return str(error.response["Error"]["Message"])
