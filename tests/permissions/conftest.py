"""LocalStack's environment, which all tests share."""

from tests.integration.conftest import cache

__all__ = ["cache"]
