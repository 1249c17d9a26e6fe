"""Reads what the endpoint saw: the data capture that SageMaker writes to S3.

Keys read ``{prefix}/{endpoint}/{variant}/yyyy/mm/dd/hh/MM-SS-mmm-uuid.jsonl`` in UTC, one JSON record a line, many
lines a file (https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html).
"""

from monitoring.capture.location import place_of
from monitoring.capture.reader import EVALUATION, Place, Reading
from monitoring.capture.record import CapturedInference, Malformed, probabilities
from monitoring.capture.report import CaptureReport
from monitoring.capture.waiting import wait_for

__all__ = [
    "EVALUATION",
    "CaptureReport",
    "CapturedInference",
    "Malformed",
    "Place",
    "Reading",
    "place_of",
    "probabilities",
    "wait_for",
]
