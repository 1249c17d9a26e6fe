"""Choices that hold where neither an option nor the environment makes another."""

from typing import Final

REGION: Final = "us-east-1"
ENDPOINT_INSTANCE_TYPE: Final = "ml.m5.xlarge"
TRAINING_INSTANCE_TYPE: Final = "ml.g5.xlarge"
REVIEW_PORT: Final = 8090
