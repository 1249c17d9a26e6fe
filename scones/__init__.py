"""The door: the scones command and its settings."""

__version__ = "1.0.0"
