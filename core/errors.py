"""The base of every expected error.

SconesError
├── InvalidLabels
├── InvalidS3Uri
├── InvalidDuration
├── InvalidNamedValue
├── ImageTooCostly
├── UnknownImageFormat
├── MalformedLst
├── UndecodableText
├── MessagesNotDeleted
└── the base error of each package
"""

from pathlib import Path


class SconesError(Exception):
    """An expected failure. Its message names the value that is wrong and what to do about it."""


class InvalidLabels(SconesError):
    """The text does not name two labels."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"'{text}' does not name two labels: write two different names of letters, digits, - and _, "
            "separated by a comma, for example apple,orange"
        )


class InvalidS3Uri(SconesError):
    """The text is not an S3 URI."""

    def __init__(self, text: str) -> None:
        super().__init__(f"'{text}' is not an S3 URI: write s3://bucket/key")


class InvalidDuration(SconesError):
    """The text is not a duration."""

    def __init__(self, text: str) -> None:
        super().__init__(f"'{text}' is not a duration: write for example 30m, 4h or 2d")


class InvalidNamedValue(SconesError):
    """The text is not NAME=VALUE."""

    def __init__(self, text: str) -> None:
        super().__init__(f"'{text}' is not NAME=VALUE: write a name, an equals sign and a value")


class UnknownImageFormat(SconesError):
    """The bytes are not an image of a known format."""

    def __init__(self, actual: str) -> None:
        super().__init__(f"the image is {actual}: save it as JPEG or PNG")


class MalformedLst(SconesError):
    """A line of a .lst file is not index, label and file name between tabs."""

    def __init__(self, path: Path | str, line: int, reason: str) -> None:
        super().__init__(f"{path}, line {line}: {reason}; a line reads index<TAB>label<TAB>file name")
        self.line = line
        self.reason = reason


class ImageTooCostly(SconesError):
    """An image would take too much time or memory to decode."""

    def __init__(self, cost: str) -> None:
        super().__init__(f"the image is too costly to decode: it has {cost}")


class UndecodableText(SconesError):
    """A file is not text in UTF-8 or UTF-16."""

    def __init__(self, name: str, position: int) -> None:
        super().__init__(f"{name} is not UTF-8 text (byte {position}): save it as UTF-8")


class MessagesNotDeleted(SconesError):
    """SQS refused to delete messages that have been handled."""

    def __init__(self, count: int, reason: str) -> None:
        super().__init__(f"{count} handled messages could not be deleted ({reason}): run the command again")
