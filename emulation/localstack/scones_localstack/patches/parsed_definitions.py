"""Parses each definition of a state machine once.

LocalStack 4.14 parses it to validate it, again to count the features that it uses, and again for each execution: 25 ms
of a CPU for the machine of one image, 80 ms for that of a batch. What it makes of it is evaluated against the
environment of an execution and holds no state: the items of a Map share it already.
"""

from functools import lru_cache

from localstack.services.stepfunctions.asl.parse.asl_parser import AmazonStateLanguageParser

_DEFINITIONS = 32


def install() -> None:
    """Cache the last parsed definition. TestState, which changes what it parsed, has its own parser."""
    AmazonStateLanguageParser.parse = staticmethod(lru_cache(_DEFINITIONS)(AmazonStateLanguageParser.parse))
