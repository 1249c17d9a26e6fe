"""Reads captured inferences of a time range from S3, many files at a time, in bounded memory."""

import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from monitoring.capture.lines import Line, lines
from monitoring.capture.record import CapturedInference, Malformed, Unanswered, UnknownVersion, parse
from monitoring.capture.report import CaptureReport

VARIANT = "AllTraffic"
MARGIN = timedelta(minutes=2)
"""A file may hold records from before or after the minute it is named after; files this near are looked into, too."""
WORKERS = 8
LARGE = 4 << 20
"""A larger file is not fetched ahead but streamed when its turn comes."""
REMEMBERED = 50_000
"""A record that comes twice is found among so many others before it."""
EVALUATION = "evaluation-"
"""What the inferenceId of a request begins with that was made to evaluate the endpoint: it is no traffic."""
_STREAMED = 1 << 18
_NAME = re.compile(r"(\d\d)-(\d\d)-\d{3}-[^/]*\.jsonl(?:\.gz)?\Z")
_SUFFIXES = (".jsonl", ".jsonl.gz")
_GONE = frozenset({"NoSuchKey", "404"})


@dataclass(frozen=True)
class Place:
    """Where captures lie: ``s3://{bucket}/{prefix}/{endpoint}/{variant}/``; abandoned where the endpoint is gone."""

    bucket: str
    prefix: str
    endpoint: str
    variant: str = VARIANT
    is_abandoned: bool = False

    @property
    def root(self) -> str:
        """What every key begins with, without a slash at its end."""
        return "/".join(part for part in (self.prefix.strip("/"), self.endpoint, self.variant) if part)


class Reading:
    """The inferences of ``[since, until]``, read while iterated over; ``report`` counts along.

    Records keep whole seconds, and so does ``since``: what was answered later in its second is not lost. Requests that
    were made to evaluate the endpoint are counted and left out. ``until`` None has no end: what is dated in the future,
    by a clock that is ahead, is included and counted. Each iteration reads anew. Files come in the order of their
    names, which is that of time; records as they lie in a file.
    """

    def __init__(
        self,
        s3: Any,
        place: Place,
        since: datetime,
        until: datetime | None = None,
        *,
        workers: int = WORKERS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.report = CaptureReport()
        self._s3, self._place, self._workers = s3, place, workers
        self._since = since.astimezone(UTC).replace(microsecond=0)
        self._until, self._now = until and until.astimezone(UTC), now

    def __iter__(self) -> Iterator[CapturedInference]:
        self.report = CaptureReport()
        now = self._now()
        seen: dict[str, None] = {}
        for chunks in self._bodies(self._until or now):
            for line in lines(chunks):
                inference = self._parsed(line)
                if inference is not None and self._belongs(inference, seen, now):
                    self.report.records += 1
                    yield inference

    def _parsed(self, line: Line) -> CapturedInference | None:
        try:
            return parse(line.text)
        except UnknownVersion:
            self.report.unknown_version += 1
        except Unanswered:
            self.report.unanswered += 1
        except Malformed:
            if line.whole:
                self.report.malformed += 1
            else:
                self.report.torn += 1
        return None

    def _belongs(self, inference: CapturedInference, seen: dict[str, None], now: datetime) -> bool:
        if inference.time < self._since or (self._until is not None and inference.time > self._until):
            self.report.outside += 1
            return False
        if inference.event_id in seen:
            self.report.duplicates += 1
            return False
        if (inference.inference_id or "").startswith(EVALUATION):
            self.report.evaluation += 1
            return False
        seen[inference.event_id] = None
        if len(seen) > REMEMBERED:
            del seen[next(iter(seen))]
        ahead = (inference.time - now).total_seconds()
        if ahead > 1:  # records keep whole seconds
            self.report.ahead += 1
            self.report.skew = max(self.report.skew, ahead)
        return True

    def _bodies(self, until: datetime) -> Iterator[Iterator[bytes]]:
        """Each file's content; small files are fetched ahead, as many as there are workers."""
        waiting: deque[tuple[str, Future[bytes | None] | None]] = deque()
        with ThreadPoolExecutor(self._workers, "capture") as pool:
            try:
                for key, size in self._files(until):
                    waiting.append((key, pool.submit(self._fetched, key) if size <= LARGE else None))
                    if len(waiting) > self._workers:
                        yield self._chunks(*waiting.popleft())
                while waiting:
                    yield self._chunks(*waiting.popleft())
            finally:
                for _, future in waiting:
                    if future is not None:
                        future.cancel()

    def _chunks(self, key: str, fetched: "Future[bytes | None] | None") -> Iterator[bytes]:
        self.report.fetches += 1
        if fetched is not None:
            body = fetched.result()
            content = None if body is None else iter((body,))
        else:
            stream = self._object(key)
            content = None if stream is None else stream.iter_chunks(_STREAMED)
        if content is None:
            self.report.vanished += 1
            return
        self.report.files += 1
        yield from content

    def _fetched(self, key: str) -> bytes | None:
        stream = self._object(key)
        return None if stream is None else stream.read()

    def _object(self, key: str) -> Any:
        """The object's body; None where a lifecycle rule was faster."""
        try:
            return self._s3.get_object(Bucket=self._place.bucket, Key=key)["Body"]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _GONE:
                return None
            raise

    def _files(self, until: datetime) -> Iterator[tuple[str, int]]:
        """Keys and sizes of the capture files of the time range; only its hours are listed, and a margin."""
        first, last = self._since - MARGIN, until + MARGIN
        hour = first.replace(minute=0, second=0, microsecond=0)
        while hour <= last:
            folder = f"{self._place.root}/{hour:%Y/%m/%d/%H}/"
            start = f"{folder}{first:%M-%S}" if hour <= first else ""
            for entry in self._listed(folder, start):
                name = entry["Key"].removeprefix(folder)
                if "/" in name or not name.endswith(_SUFFIXES):
                    self.report.foreign += 1
                elif not _after(name, hour, last):
                    yield entry["Key"], int(entry.get("Size", 0))
            hour += timedelta(hours=1)

    def _listed(self, folder: str, start: str) -> Iterator[dict[str, Any]]:
        asked = {"Bucket": self._place.bucket, "Prefix": folder}
        for page in self._s3.get_paginator("list_objects_v2").paginate(
            **asked, **({"StartAfter": start} if start else {})
        ):
            self.report.listings += 1
            yield from page.get("Contents", [])


def _after(name: str, hour: datetime, last: datetime) -> bool:
    """Whether a file begins after ``last``; one that is not named after its time is looked into."""
    match = _NAME.match(name)
    return match is not None and hour + timedelta(minutes=int(match[1]), seconds=int(match[2])) > last
