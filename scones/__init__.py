"""The door: the scones command and its settings."""
