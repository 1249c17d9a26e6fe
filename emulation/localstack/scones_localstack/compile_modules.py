"""``python -m scones_localstack.compile_modules``: imports what LocalStack imports when it starts, and ends.

Run when the environment is made, so that the bytecode of those modules lies there at the first start, which would take
3 CPU seconds longer without it. Compiling every file of the environment instead takes twice as long and 50 MB more.
"""

import os

from .patches import garbage_collection


def main() -> None:
    """Import LocalStack, the services that SCONES_PRELOADED_SERVICES names and every patch; end without a shutdown."""
    garbage_collection.postpone()
    from . import hooks  # noqa: PLC0415 - imports LocalStack, with nothing to collect

    hooks.shorten_start()
    hooks.import_everything()
    os._exit(0)


if __name__ == "__main__":
    main()
