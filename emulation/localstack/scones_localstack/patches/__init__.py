"""Changes to LocalStack 4.14.0, one module a change: what it does, and why."""
