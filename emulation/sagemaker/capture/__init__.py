"""Data capture: records in AWS's format, buffered on disk on their way to S3."""
