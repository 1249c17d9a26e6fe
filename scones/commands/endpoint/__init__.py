"""``scones endpoint``."""
