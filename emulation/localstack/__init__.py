"""LocalStack without Docker: its private environment, its plugin package and its settings."""
