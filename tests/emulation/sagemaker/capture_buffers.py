from pathlib import Path

from emulation.sagemaker.capture import CaptureBuffer, Thresholds
from tests.emulation.fakes.bucket import BucketInMemory


def capture_buffer(directory: Path, bucket: BucketInMemory, now: list[float], **thresholds: float) -> CaptureBuffer:
    settings = Thresholds(
        thresholds.get("seconds", 60.0), int(thresholds.get("records", 1000)), int(thresholds.get("bytes", 10**6))
    )
    return CaptureBuffer(directory, bucket, settings, lambda: now[0])
