"""A training job's log: a file here, and a stream of CloudWatch Logs where there is one."""

from pathlib import Path
from typing import Any, BinaryIO

from emulation.sagemaker.log_stream import LogStream

GROUP = "/aws/sagemaker/TrainingJobs"


class JobLog(LogStream):
    """Writes each line to a file as well."""

    def __init__(self, client: Any, stream: str, path: Path) -> None:
        super().__init__(client, GROUP, stream)
        self._path = path
        self._file: BinaryIO | None = None

    def write(self, line: str) -> None:
        """Add a line."""
        if self._file is None:
            self._file = self._path.open("ab", buffering=0)
        self._file.write(line.encode(errors="replace") + b"\n")
        super().write(line)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
