"""Reads captured inferences of a time range from S3, many files at a time, in bounded memory."""

import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from core.aws_errors import error_code
from core.waiting import WaiterConfig
from monitoring.capture.counts import CaptureCounts
from monitoring.capture.lines import Line, lines
from monitoring.capture.location import CaptureLocation
from monitoring.capture.record import CapturedInference, parse
from monitoring.errors import CaptureIncomplete, MalformedRecord, MissingOutput, UnknownVersion

MARGIN = timedelta(minutes=2)
"""A file may have records from before or after the time in its name; files this near to the range are read, too."""
WORKERS = 8
LARGE = 4 << 20
"""A larger file is not fetched ahead but streamed in its turn."""
REMEMBERED = 50_000
"""A duplicate is detected among so many records before it."""
EVALUATION = "evaluation-"
"""Prefix of the inferenceId of requests made by `scones evaluate`, which are not production traffic."""
_STREAMED = 1 << 18
_NAME = re.compile(r"(\d\d)-(\d\d)-\d{3}-[^/]*\.jsonl(?:\.gz)?\Z")
_PATH = re.compile(r"(?:.*/)?(\d{4})/(\d\d)/(\d\d)/(\d\d)/(\d\d)-(\d\d)-\d{3}-[^/]*\Z")
_SUFFIXES = (".jsonl", ".jsonl.gz")
_GONE = frozenset({"NoSuchKey", "404"})
_CLOCK_SKEW = timedelta(seconds=2)


class CaptureReader:
    """The inferences of ``[since, until]``, read during iteration; ``counts`` has what was read and skipped.

    Records have whole seconds, so ``since`` is rounded down to one. Requests of an evaluation are counted and skipped.
    Without ``until`` the range has no end: records dated in the future, by a clock that is ahead, are included and
    counted. Each iteration reads again. Files are read in the order of their names, which is that of time.
    """

    def __init__(
        self,
        s3: Any,
        location: CaptureLocation,
        since: datetime,
        until: datetime | None = None,
        *,
        workers: int = WORKERS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.counts = CaptureCounts()
        self._s3, self._location, self._workers = s3, location, workers
        self._since = since.astimezone(UTC).replace(microsecond=0)
        self._until, self._now = until and until.astimezone(UTC), now

    def __iter__(self) -> Iterator[CapturedInference]:
        self.counts = CaptureCounts()
        now = self._now()
        seen: dict[str, None] = {}
        for chunks in self._bodies(self._until or now):
            for line in lines(chunks):
                inference = self._parsed(line)
                if inference is not None and self._belongs(inference, seen, now):
                    self.counts.records += 1
                    yield inference

    def _parsed(self, line: Line) -> CapturedInference | None:
        try:
            return parse(line.text)
        except UnknownVersion:
            self.counts.unknown_version += 1
        except MissingOutput:
            self.counts.missing_output += 1
        except MalformedRecord:
            if line.whole:
                self.counts.malformed += 1
            else:
                self.counts.truncated += 1
        return None

    def _belongs(self, inference: CapturedInference, seen: dict[str, None], now: datetime) -> bool:
        if inference.time < self._since or (self._until is not None and inference.time > self._until):
            self.counts.outside += 1
            return False
        if inference.event_id in seen:
            self.counts.duplicates += 1
            return False
        if (inference.inference_id or "").startswith(EVALUATION):
            self.counts.evaluation += 1
            return False
        seen[inference.event_id] = None
        if len(seen) > REMEMBERED:
            del seen[next(iter(seen))]
        ahead = (inference.time - now).total_seconds()
        if ahead > 1:  # records have whole seconds
            self.counts.from_the_future += 1
            self.counts.skew = max(self.counts.skew, ahead)
        return True

    def _bodies(self, until: datetime) -> Iterator[Iterator[bytes]]:
        """Yield each file's content; small files are fetched ahead, one a worker."""
        pending: deque[tuple[str, Future[bytes | None] | None]] = deque()
        with ThreadPoolExecutor(self._workers, "capture") as pool:
            try:
                for key, size in self._files(until):
                    pending.append((key, pool.submit(self._fetched, key) if size <= LARGE else None))
                    if len(pending) > self._workers:
                        yield self._chunks(*pending.popleft())
                while pending:
                    yield self._chunks(*pending.popleft())
            finally:
                for _, future in pending:
                    if future is not None:
                        future.cancel()

    def _chunks(self, key: str, fetched: "Future[bytes | None] | None") -> Iterator[bytes]:
        self.counts.fetches += 1
        if fetched is not None:
            body = fetched.result()
            content = None if body is None else iter((body,))
        else:
            stream = self._object(key)
            content = None if stream is None else stream.iter_chunks(_STREAMED)
        if content is None:
            self.counts.vanished += 1
            return
        self.counts.files += 1
        yield from content

    def _fetched(self, key: str) -> bytes | None:
        stream = self._object(key)
        return None if stream is None else stream.read()

    def _object(self, key: str) -> Any:
        """Return the object's body, or None if it was deleted since it was listed."""
        try:
            return self._s3.get_object(Bucket=self._location.bucket, Key=key)["Body"]
        except ClientError as error:
            if error_code(error) in _GONE:
                return None
            raise

    def _files(self, until: datetime) -> Iterator[tuple[str, int]]:
        """Yield keys and sizes of the capture files of the time range."""
        first, last = self._since - MARGIN, until + MARGIN
        return self._files_by_hour(first, last) if self._location.endpoint else self._files_below(first, last)

    def _files_by_hour(self, first: datetime, last: datetime) -> Iterator[tuple[str, int]]:
        """List only the hours of the time range."""
        hour = first.replace(minute=0, second=0, microsecond=0)
        while hour <= last:
            folder = f"{self._location.root}/{hour:%Y/%m/%d/%H}/"
            start = f"{folder}{first:%M-%S}" if hour <= first else ""
            for entry in self._listed(folder, start):
                name = entry["Key"].removeprefix(folder)
                if "/" in name or not name.endswith(_SUFFIXES):
                    self.counts.foreign += 1
                elif not _after(name, hour, last):
                    yield entry["Key"], int(entry.get("Size", 0))
            hour += timedelta(hours=1)

    def _files_below(self, first: datetime, last: datetime) -> Iterator[tuple[str, int]]:
        """List everything below a prefix, and leave out what its key dates outside the time range."""
        root = self._location.root
        for entry in self._listed(f"{root}/" if root else "", ""):
            time = _time_in(entry["Key"])
            if not entry["Key"].endswith(_SUFFIXES):
                self.counts.foreign += 1
            elif time is None or first <= time <= last:
                yield entry["Key"], int(entry.get("Size", 0))

    def _listed(self, folder: str, start: str) -> Iterator[dict[str, Any]]:
        parameters = {"Bucket": self._location.bucket, "Prefix": folder} | ({"StartAfter": start} if start else {})
        for page in self._s3.get_paginator("list_objects_v2").paginate(**parameters):
            self.counts.listings += 1
            yield from page.get("Contents", [])


def _after(name: str, hour: datetime, last: datetime) -> bool:
    """Tell whether a file begins after ``last``; one without a time in its name does not."""
    match = _NAME.match(name)
    return match is not None and hour + timedelta(minutes=int(match[1]), seconds=int(match[2])) > last


def _time_in(key: str) -> datetime | None:
    """Return the time that a key's folders and name state, or None if they state none."""
    match = _PATH.match(key)
    if match is None:
        return None
    try:
        year, month, day, hour, minute, second = map(int, match.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def wait_for_captures(s3: Any, location: CaptureLocation, since: datetime, expected: int, waiter: WaiterConfig) -> int:
    """Wait until ``expected`` inferences since ``since`` are captured and return their number.

    Times are compared to the second, as records have them. Raises CaptureIncomplete after the timeout.
    """
    start = since.replace(microsecond=0) - _CLOCK_SKEW
    deadline = waiter.clock() + waiter.timeout_seconds
    while True:
        captured = sum(1 for _ in CaptureReader(s3, location, start))
        if captured >= expected:
            return captured
        if waiter.clock() > deadline:
            raise CaptureIncomplete(captured, expected, waiter.timeout_seconds)
        waiter.sleep(waiter.poll_seconds)
