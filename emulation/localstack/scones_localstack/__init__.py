"""Runs inside LocalStack: sends each container-image Lambda's invocations to that function's own container."""
