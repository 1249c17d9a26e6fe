"""What can go wrong, under the names that Step Functions sees: it matches a class by its own name, never by its base.

SerializeError
├── InvalidInput         the event does not name one object
├── ImageNotFound        no such bucket or object
├── ImageAccessDenied    S3 will not give the object to this function
├── ImageTooLarge        it cannot be decoded within this function's memory and time
├── UnsupportedImage     the bytes are not a whole image of a kind that is read here
└── StorageUnavailable   S3 did not answer properly: the only one worth a retry
"""

_SHOWN = 120


class SerializeError(Exception):
    """Anything that this state refuses by name."""


class InvalidInput(SerializeError):
    """The event lacks a field, or a field breaks S3's rules for it."""


class ImageNotFound(SerializeError):
    """The bucket or the object does not exist, under no spelling of the key."""


class ImageAccessDenied(SerializeError):
    """S3 refuses this function the object."""


class ImageTooLarge(SerializeError):
    """Decoding the image would exhaust memory or time."""


class UnsupportedImage(SerializeError):
    """The object is empty, damaged, or no image of a kind that is read here."""


class StorageUnavailable(SerializeError):
    """S3 failed, throttled or broke off, and botocore's own retries are used up."""


def quoted(value: object) -> str:
    """Return ``value`` on one line for a message: text shortened, anything else by its type alone."""
    if isinstance(value, str):
        return repr(value[:_SHOWN]) + ("..." if len(value) > _SHOWN else "")
    return "nothing" if value is None else f"a value of type {type(value).__name__}"
