"""What can be fuzzed: a function of bytes, what it may raise, and the honest inputs that are damaged to make others."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """``one`` takes an input; ``allowed`` are the errors that it may end in, each of them named by its wing."""

    one: Callable[[bytes], object]
    allowed: tuple[type[Exception], ...]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...] = ()
    longest: int = 4096
    is_costly: bool = False


JSON_WORDS = (
    b"null", b"true", b"false", b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-0.0", b"0.5", b"1", b"{}", b"[]", b'""',
    b"[" * 2000, b'{"a":' * 500, b"9" * 5000, b'"\\ud800"', b'"\\u0000"', b"\xff\xfe", b'"\xef\xbf\xbf"', b",", b":",
    b"}", b"]",
    b'"s3_bucket"', b'"s3_key"', b'"inferences"', b'"threshold"', b'"image_data"', b'"content_type"', b'"image/png"',
)  # fmt: skip
