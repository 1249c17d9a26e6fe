"""The ``scones`` command, also as ``python -m scones``: Ctrl-C ends its imports, which take a while, too."""

import sys

try:
    from scones.cli import main
except KeyboardInterrupt:
    sys.exit(130)  # scones.errors.INTERRUPTED, which may not be imported yet

if __name__ == "__main__":
    main()
