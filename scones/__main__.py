"""The ``scones`` command, also as ``python -m scones``."""

import sys


def main() -> None:
    """Run the command line. Ctrl-C ends its imports, too, which take a while, without a traceback."""
    try:
        from scones.cli import main as run  # noqa: PLC0415 - may be interrupted

        run()
    except KeyboardInterrupt:
        sys.exit(130)  # scones.errors.INTERRUPTED, which may not be imported yet


if __name__ == "__main__":
    main()
