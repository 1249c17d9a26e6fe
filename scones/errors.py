"""What the command line itself refuses.

CommandError
├── UnknownTarget
├── NothingToRender
├── ModelOfOtherLabels
├── TargetHasNoRegistry
├── ImagesMissing
├── EndpointAnsweredNothing
├── BatchUnclear
├── BucketNotReadable
├── EndpointHasNoModel
└── EndpointGone
"""

from collections.abc import Sequence
from pathlib import Path

from core.errors import SconesError

INTERRUPTED = 130
"""The exit code of a command that was interrupted, as shells report it."""


class CommandError(SconesError):
    """Base of the command line's own errors."""


class ImagesMissing(CommandError):
    """No image was given, or the folder given has none."""

    def __init__(self, given: str) -> None:
        super().__init__(f"no images in {given}: give files, folders or s3://bucket/key addresses")


class EndpointAnsweredNothing(CommandError):
    """The endpoint answered none of the images that it was asked about."""

    def __init__(self, endpoint: str, count: int, reason: str) -> None:
        super().__init__(
            f"endpoint {endpoint} answered none of {count} images ({reason}): `scones endpoint status` says how it is"
        )


class UnknownTarget(CommandError):
    """SCONES_TARGET names nothing that there is."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"SCONES_TARGET is '{name}': it must be one of {', '.join(known)}")


class NothingToRender(CommandError):
    """Vehicles are all that can be rendered."""

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__(f"{' and '.join(labels)} cannot be rendered: give CIFAR-100 by --archive or SCONES_CIFAR100")


class ModelOfOtherLabels(CommandError):
    """The model tells apart something else than the stack."""

    def __init__(self, model: Path, has: object, wanted: Sequence[str]) -> None:
        super().__init__(
            f"the model in {model} has the labels {has}, the stack {list(wanted)}: train one with `scones train`, "
            f"or deploy the stack with the model's labels"
        )


class TargetHasNoRegistry(CommandError):
    """Images can be pushed to AWS only."""

    def __init__(self, target: str) -> None:
        super().__init__(f"the target '{target}' has no registry and needs none: name `--target aws`")


class BatchUnclear(CommandError):
    """A batch is started from a source or followed by its ARN, one of the two."""

    def __init__(self) -> None:
        super().__init__(
            "name one of the two: what to classify (a folder, s3://bucket/prefix, a manifest) or --attach ARN"
        )


class BucketNotReadable(CommandError):
    """The stack's functions may read its own bucket, and the one that it was deployed with."""

    def __init__(self, bucket: str, own: str) -> None:
        super().__init__(
            f"the stack may not read the bucket '{bucket}', only its own, '{own}': "
            f"`scones deploy --parameter ImageBucket={bucket}` lets it"
        )


class EndpointHasNoModel(CommandError):
    """There is no model beside which a baseline could lie."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(f"endpoint {endpoint} serves no model from S3: write the baseline to a file with --out")


class EndpointGone(CommandError):
    """An endpoint that is not there, and that left no captured inference in the time asked for."""

    def __init__(self, endpoint: str, span: str) -> None:
        super().__init__(
            f"there is no endpoint {endpoint}, and it has left no captured inference from {span}: "
            "`scones endpoint status` says which there is"
        )
