"""The door: the scones command and its settings."""

__version__ = "0.1.0"
