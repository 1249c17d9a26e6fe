"""What the command line itself refuses.

CommandError
├── UnknownTarget
├── CannotRender
├── ModelLabelsMismatch
├── TargetHasNoRegistry
├── NoImages
├── NoPredictions
├── BatchSourceAmbiguous
├── BucketNotReadable
├── EndpointHasNoModel
└── NoCaptures
"""

from collections.abc import Sequence
from pathlib import Path

from core.errors import SconesError

INTERRUPTED = 130
"""The exit code of a command that was interrupted, as shells report it."""


class CommandError(SconesError):
    """Base of the command line's own errors."""


class UnknownTarget(CommandError):
    """SCONES_TARGET is not a target."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"SCONES_TARGET is '{name}': it must be one of {', '.join(known)}")


class CannotRender(CommandError):
    """Images were to be rendered that show something else than vehicles."""

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__(f"{' and '.join(labels)} cannot be rendered: name CIFAR-100 by --archive or SCONES_CIFAR100")


class ModelLabelsMismatch(CommandError):
    """The model and the stack have different labels."""

    def __init__(self, model: Path, labels: object, expected: Sequence[str]) -> None:
        super().__init__(
            f"the model in {model} has the labels {labels}, the stack {list(expected)}: train one with `scones train`, "
            f"or deploy the stack with the model's labels"
        )


class TargetHasNoRegistry(CommandError):
    """Container images can be pushed to AWS only."""

    def __init__(self, target: str) -> None:
        super().__init__(f"the target '{target}' has no registry and needs none: use `--target aws`")


class NoImages(CommandError):
    """What was named has no image."""

    def __init__(self, source: str) -> None:
        super().__init__(f"no images in {source}: name files, folders or s3://bucket/key URIs")


class NoPredictions(CommandError):
    """The endpoint returned no prediction for any image."""

    def __init__(self, endpoint: str, count: int, reason: str) -> None:
        super().__init__(
            f"endpoint {endpoint} returned a prediction for none of {count} images ({reason}): "
            "`scones endpoint status` shows its state"
        )


class BatchSourceAmbiguous(CommandError):
    """A batch is started from a source or followed by its ARN, not both."""

    def __init__(self) -> None:
        super().__init__(
            "name either what to classify (a folder, s3://bucket/prefix or a manifest) or --attach ARN, not both"
        )


class BucketNotReadable(CommandError):
    """The stack's functions may read its own bucket, and the one that it was deployed with."""

    def __init__(self, bucket: str, own: str) -> None:
        super().__init__(
            f"the stack may not read the bucket '{bucket}', only its own, '{own}': "
            f"allow it by `scones deploy --parameter ImageBucket={bucket}`"
        )


class EndpointHasNoModel(CommandError):
    """The endpoint serves no model artifact in S3, beside which its baseline would be."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(f"endpoint {endpoint} serves no model from S3: write the baseline to a file with --out")


class NoCaptures(CommandError):
    """The endpoint does not exist, and nothing was captured in the time range."""

    def __init__(self, endpoint: str, time_range: str) -> None:
        super().__init__(
            f"endpoint {endpoint} does not exist, and nothing was captured from {time_range}: "
            "`scones endpoint status` shows the endpoint, --since an earlier time range"
        )
