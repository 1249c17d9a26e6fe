"""The log of a training job in CloudWatch Logs."""

import re
from typing import Any

from training.errors import translate_errors

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_EPOCH = re.compile(r"Epoch\[(\d+)\]")


def completed_epochs(line: str) -> int | None:
    """Return how many epochs are done by this log line, or None if the line names no epoch."""
    match = _EPOCH.search(line)
    return int(match[1]) + 1 if match else None


class JobLogReader:
    """Reads each line of a job's log once."""

    def __init__(self, client: Any, job: str) -> None:
        self._client = client
        self._job = job
        self._tokens: dict[str, str] = {}

    def read_new_lines(self) -> list[str]:
        """Return the lines since the last call, or none if there is no log yet. Raises a SageMakerError."""
        with translate_errors("logs"):
            try:
                streams = self._client.describe_log_streams(
                    logGroupName=LOG_GROUP, logStreamNamePrefix=f"{self._job}/"
                )["logStreams"]
            except self._client.exceptions.ResourceNotFoundException:
                return []
            return [line for stream in streams for line in self._read_stream(stream["logStreamName"])]

    def _read_stream(self, stream: str) -> list[str]:
        lines: list[str] = []
        while True:
            position = {"nextToken": self._tokens[stream]} if stream in self._tokens else {}
            page = self._client.get_log_events(
                logGroupName=LOG_GROUP, logStreamName=stream, startFromHead=True, **position
            )
            lines += [event["message"] for event in page["events"]]
            token = page["nextForwardToken"]
            if self._tokens.get(stream) == token or not page["events"]:
                self._tokens[stream] = token
                return lines
            self._tokens[stream] = token
