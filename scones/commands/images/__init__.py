"""`scones images`: the project's container images."""
