"""Stacks that the journeys share with the tests of the state machine."""

from tests.integration.conftest import cache, rig

__all__ = ["cache", "rig"]
