"""The defaults of options and environment variables that several packages share."""

from typing import Final

REGION: Final = "us-east-1"
ENDPOINT_INSTANCE_TYPE: Final = "ml.m5.xlarge"
TRAINING_INSTANCE_TYPE: Final = "ml.g5.xlarge"
REVIEW_PORT: Final = 8090
DATASETS: Final = "datasets"
"""The prefix of the datasets in the stack's bucket."""
