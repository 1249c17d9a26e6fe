"""Stands in for Amazon SageMaker: its API over HTTP, with real models and data capture behind it."""
