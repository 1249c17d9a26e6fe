"""Stacks that the journeys share with the tests of the state machine."""

from tests.integration.conftest import cache, deployment

__all__ = ["cache", "deployment"]
