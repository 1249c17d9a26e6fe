"""``python -m scones_localstack``: LocalStack that ends with its parent."""

from .parent_watcher import watch
from .patches import garbage_collection


def main() -> None:
    """Run LocalStack until it is stopped or its parent process ends."""
    watch()
    garbage_collection.postpone()
    from localstack.runtime.main import main as run_localstack  # noqa: PLC0415 - takes a second, which must be watched

    run_localstack()


if __name__ == "__main__":
    main()
