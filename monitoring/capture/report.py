"""What was found while reading captures: nothing that is no record stops the reading, and all of it is counted."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class CaptureReport:
    """Counts of one reading.

    ``listings`` and ``fetches`` are calls to S3. ``files`` were read, ``foreign`` objects are no capture files,
    ``vanished`` ones were deleted between listing and fetching. ``records`` were handed on; not handed on were
    ``outside`` the time range, ``duplicates`` (an eventId seen before), requests of an ``evaluation``, ``malformed``
    lines, ``torn`` last lines, records of an ``unknown_version`` and ``unanswered`` ones. ``ahead`` of ``records`` are
    dated in the future, by ``skew`` seconds at most: the clocks differ.
    """

    listings: int = 0
    fetches: int = 0
    files: int = 0
    foreign: int = 0
    vanished: int = 0
    records: int = 0
    outside: int = 0
    duplicates: int = 0
    evaluation: int = 0
    malformed: int = 0
    torn: int = 0
    unknown_version: int = 0
    unanswered: int = 0
    ahead: int = 0
    skew: float = 0.0

    def sentences(self) -> list[str]:
        """Say what was left out and why, and nothing where all was well."""
        ahead = f"dated up to {self.skew:.0f} s in the future: the clocks of this machine and of the endpoint differ"
        said = (
            (
                self.foreign,
                "object under the capture prefix is no capture file",
                "objects under the capture prefix are no capture files",
            ),
            (self.vanished, "file vanished while being read", "files vanished while being read"),
            (self.duplicates, "record came twice and counts once", "records came twice and count once"),
            (
                self.evaluation,
                "record of `scones evaluate` is left out: it is no traffic",
                "records of `scones evaluate` are left out: they are no traffic",
            ),
            (
                self.malformed,
                "line is no inference with two probabilities",
                "lines are no inferences with two probabilities",
            ),
            (self.torn, "file ends in a torn line", "files end in a torn line"),
            (self.unknown_version, "record is of an unknown eventVersion", "records are of an unknown eventVersion"),
            (
                self.unanswered,
                "record has no answer: capture the endpoint's output, too",
                "records have no answer: capture the endpoint's output, too",
            ),
            (self.ahead, f"record is {ahead}", f"records are {ahead}"),
        )
        return [f"{count:,} {one if count == 1 else many}" for count, one, many in said if count]

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain JSON values."""
        return asdict(self)
