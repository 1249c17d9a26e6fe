"""The `scones` command line and its settings."""

__version__ = "1.0.0"
