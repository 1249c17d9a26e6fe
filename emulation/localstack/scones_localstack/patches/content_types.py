"""Parses each Content-Type header once.

Twisted, which LocalStack 4.14 serves with, parses it for every request with the parser of e-mails.
"""

from functools import lru_cache

from twisted.web import http


def install() -> None:
    """Cache the parsed values."""
    http._parseContentType = lru_cache(maxsize=256)(http._parseContentType)  # noqa: SLF001 - Twisted has no other way
