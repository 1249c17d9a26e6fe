"""LocalStack's environment, which all tests share."""

from importlib.util import find_spec

from tests.integration.conftest import cache

__all__ = ["cache"]

# Only the environment `moto` has what these tests import; those that collect all tests for their marker have not.
collect_ignore_glob = [] if find_spec("moto") and find_spec("cfnlint") else ["test_*.py"]
