"""The errors of the command line.

CommandError
├── UnknownTarget
├── InvalidSetting
├── RegionDiffers
├── ReviewPortInUse
├── CannotListen
├── NothingToRender
├── LabelledDatasetEmpty
├── NotComparable
├── ModelOfOtherLabels
├── TargetHasNoRegistry
├── TargetNeedsNoBootstrap
├── WebPageReturned
├── ImagesMissing
├── UnusableInput
├── UnreadableManifest
├── EndpointReturnedNothing
├── BatchUnclear
├── ResultsNotWritten
├── BucketNotReadable
├── CapturesMissing
├── EndpointHasNoModel
└── EndpointWithoutCaptures
"""

from collections.abc import Sequence
from pathlib import Path

from core.errors import SconesError

INTERRUPTED = 130
"""The exit code of a command that was interrupted, as shells report it."""


class CommandError(SconesError):
    """Base of the command line's own errors."""


class ImagesMissing(CommandError):
    """No image was specified, or the folder has none."""

    def __init__(self, sources: str) -> None:
        super().__init__(f"no images in {sources}: specify files, folders or s3://bucket/key URIs")


class UnusableInput(CommandError):
    """A file, folder or URI cannot be used; nothing has been started."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name or 'an empty name'}: {reason}")


class UnreadableManifest(CommandError):
    """A manifest does not name images in a form that is supported; nothing has been started."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} is not a manifest: {reason}; `scones batch --help` lists the formats")


class EndpointReturnedNothing(CommandError):
    """The endpoint returned no prediction for any of the images."""

    def __init__(self, endpoint: str, count: int, reason: str) -> None:
        super().__init__(
            f"endpoint {endpoint} returned no prediction for any of {count} images ({reason}): "
            "check it with `scones endpoint status`"
        )


class UnknownTarget(CommandError):
    """SCONES_TARGET is not a target."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"SCONES_TARGET is '{name}': it must be one of {', '.join(known)}")


class InvalidSetting(CommandError):
    """An environment variable or an option has a value that cannot be used."""

    def __init__(self, name: str, value: str, reason: str) -> None:
        super().__init__(f"{name} is '{value}': {reason}")


class NothingToRender(CommandError):
    """Only vehicles can be rendered."""

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__(
            f"only vehicles can be rendered, not {' and '.join(labels)}: name CIFAR-100 by --archive or SCONES_CIFAR100"
        )


class LabelledDatasetEmpty(CommandError):
    """Nobody has labelled an image in review yet."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri} lists no reviewed image: label some with `scones review --serve` first")


class NotComparable(CommandError):
    """A training job's model cannot be compared with another one."""

    def __init__(self, job: str, reason: str) -> None:
        super().__init__(f"the model of '{job}' cannot be compared: {reason}")


class ModelOfOtherLabels(CommandError):
    """The model has other labels than the stack."""

    def __init__(self, model: Path, has: object, expected: Sequence[str]) -> None:
        super().__init__(
            f"the model in {model} has the labels {has}, the stack has {list(expected)}: train a model with "
            f"`scones train`, or deploy the stack with the model's labels"
        )


class TargetHasNoRegistry(CommandError):
    """Container images can be pushed to AWS only."""

    def __init__(self, target: str) -> None:
        super().__init__(f"the target '{target}' has no registry: use `--target aws`")


class TargetNeedsNoBootstrap(CommandError):
    """Only an AWS account is bootstrapped."""

    def __init__(self, target: str) -> None:
        super().__init__(f"the target '{target}' needs no bootstrap stack: use `--target aws`")


class RegionDiffers(CommandError):
    """The local environment was started in another region than the settings name."""

    def __init__(self, running: str, region: str) -> None:
        super().__init__(
            f"the local environment runs in {running}, AWS_REGION or AWS_DEFAULT_REGION is {region}: "
            "unset it, or run `scones down` and `scones up`"
        )


class ReviewPortInUse(CommandError):
    """Another program listens on the review page's port."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is in use: choose another with --port")


class CannotListen(CommandError):
    """The review page cannot be served at this address."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        super().__init__(f"cannot listen on {host}, port {port}: {error.strerror}: correct --host or --port")


class WebPageReturned(CommandError):
    """A web page was returned instead of AWS's response."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(
            f"{url} returned a web page (status {status}), probably a proxy's: correct HTTPS_PROXY, or allow AWS there"
        )


class BatchUnclear(CommandError):
    """Neither a source nor --attach was specified, or both were."""

    def __init__(self) -> None:
        super().__init__("specify a folder, s3://bucket/prefix, a manifest or --attach ARN, and only one of them")


class ResultsNotWritten(CommandError):
    """A batch has ended, and its results cannot be written to the folder."""

    def __init__(self, execution_arn: str, folder: Path, reason: OSError) -> None:
        super().__init__(
            f"{reason.filename or folder}: {reason.strerror}: the batch has ended, and "
            f"`scones batch --attach {execution_arn} --out FOLDER` writes its results to another folder"
        )


class BucketNotReadable(CommandError):
    """The stack's functions may not read this bucket."""

    def __init__(self, bucket: str, own: str) -> None:
        super().__init__(
            f"the stack may not read the bucket '{bucket}', only its own, '{own}': "
            f"allow it with `scones deploy --parameter ImageBucket={bucket}`"
        )


class EndpointHasNoModel(CommandError):
    """The endpoint serves no model from S3 next to which a baseline could be written."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(f"endpoint {endpoint} serves no model from S3: write the baseline to a file with --out")


class CapturesMissing(CommandError):
    """The source of captures is neither a folder nor an S3 prefix."""

    def __init__(self, source: str) -> None:
        super().__init__(f"'{source}' is not a folder: specify a folder with captures, or s3://bucket/prefix")


class EndpointWithoutCaptures(CommandError):
    """The endpoint does not exist, and there are no captures of it in the time range."""

    def __init__(self, endpoint: str, span: str) -> None:
        super().__init__(
            f"endpoint {endpoint} does not exist and has no captured inferences from {span}: "
            "check the stack's endpoint with `scones endpoint status`"
        )
