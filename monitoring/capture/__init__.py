"""Reads the endpoint's data capture from S3.

Keys are ``{prefix}/{endpoint}/{variant}/yyyy/mm/dd/hh/MM-SS-mmm-uuid.jsonl`` in UTC, one JSON record a line, many lines
a file (https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html).
"""

from monitoring.capture.counts import CaptureCounts
from monitoring.capture.folder import CaptureFolder
from monitoring.capture.location import CaptureLocation, capture_location
from monitoring.capture.reader import EVALUATION, CaptureReader, wait_for_captures
from monitoring.capture.record import CapturedInference, parse_probabilities

__all__ = [
    "EVALUATION",
    "CaptureCounts",
    "CaptureFolder",
    "CaptureLocation",
    "CaptureReader",
    "CapturedInference",
    "capture_location",
    "parse_probabilities",
    "wait_for_captures",
]
