"""Stands in for AWS, offline: LocalStack, a SageMaker emulator and a host for Lambda handlers."""
