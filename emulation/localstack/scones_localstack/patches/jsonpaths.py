"""Parses each JSONPath once.

LocalStack 4.14 parses every path of every state that runs, and the parser builds its tables each time.
"""

from functools import lru_cache

import jsonpath_ng
import jsonpath_ng.ext


def install() -> None:
    """Cache parsed paths; to be called before LocalStack imports the functions."""
    jsonpath_ng.parse = lru_cache(maxsize=4096)(jsonpath_ng.parse)
    jsonpath_ng.ext.parse = lru_cache(maxsize=4096)(jsonpath_ng.ext.parse)
