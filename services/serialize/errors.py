"""The errors of this state, by the names that Step Functions matches: a class's own name, never a base class's.

SerializeError
├── InvalidInput         the event does not name one object
├── NotAnImage           an event of the bucket names a folder placeholder or a hidden file: skipped, no failure
├── ImageNotFound        the bucket or the object does not exist
├── ImageAccessDenied    S3 denies this function the object
├── ImageTooLarge        the image cannot be decoded within this function's memory and time
├── UnsupportedImage     the object is not a complete image of a supported format
└── StorageUnavailable   S3 failed: the only error that is retried
"""

_MAX_QUOTED = 120


class SerializeError(Exception):
    """Base of this state's errors."""


class InvalidInput(SerializeError):
    """The event lacks a field, or a field breaks S3's rules for it."""


class NotAnImage(SerializeError):
    """An event of the bucket names a folder placeholder or a hidden file, which the state machine skips."""


class ImageNotFound(SerializeError):
    """The bucket or the object does not exist, under any spelling of the key."""


class ImageAccessDenied(SerializeError):
    """S3 denies this function the object."""


class ImageTooLarge(SerializeError):
    """Decoding the image would exhaust memory or time."""


class UnsupportedImage(SerializeError):
    """The object is empty, damaged, or of an unsupported format."""


class StorageUnavailable(SerializeError):
    """S3 failed, throttled or closed the connection, also in botocore's retries."""


def quoted(value: object) -> str:
    """Return a value for a one-line message: shortened text, any other value as its type."""
    if isinstance(value, str):
        return repr(value[:_MAX_QUOTED]) + ("..." if len(value) > _MAX_QUOTED else "")
    return "nothing" if value is None else f"a value of type {type(value).__name__}"
