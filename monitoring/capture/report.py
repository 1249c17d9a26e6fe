"""What was found while reading captures: nothing that is no record stops the reading, and all of it is counted."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class CaptureReport:
    """Counts of one reading.

    ``listings`` and ``fetches`` are calls to S3. ``files`` were read, ``foreign`` objects are no capture files,
    ``vanished`` ones were deleted between listing and fetching. ``records`` were handed on; not handed on were
    ``outside`` the time range, ``duplicates`` (an eventId seen before), ``malformed`` lines, ``torn`` last lines,
    records of an ``unknown_version`` and ``unanswered`` ones. ``ahead`` of ``records`` are dated in the future, by
    ``skew`` seconds at most: the clocks differ.
    """

    listings: int = 0
    fetches: int = 0
    files: int = 0
    foreign: int = 0
    vanished: int = 0
    records: int = 0
    outside: int = 0
    duplicates: int = 0
    malformed: int = 0
    torn: int = 0
    unknown_version: int = 0
    unanswered: int = 0
    ahead: int = 0
    skew: float = 0.0

    def sentences(self) -> list[str]:
        """Say what was left out and why, and nothing where all was well."""
        said = {
            f"{_of(self.foreign, 'object')} under the capture prefix are no capture files": self.foreign,
            f"{_of(self.vanished, 'file')} vanished while being read": self.vanished,
            f"{_of(self.duplicates, 'record')} came twice and count once": self.duplicates,
            f"{_of(self.malformed, 'line')} are no inference with two probabilities": self.malformed,
            f"{_of(self.torn, 'file')} end in a torn line": self.torn,
            f"{_of(self.unknown_version, 'record')} are of an unknown eventVersion": self.unknown_version,
            f"{_of(self.unanswered, 'record')} have no answer: capture the endpoint's output, too": self.unanswered,
            f"{_of(self.ahead, 'record')} are dated up to {self.skew:.0f} s in the future: the clocks of this machine "
            "and of the endpoint differ": self.ahead,
        }
        return [sentence for sentence, count in said.items() if count]

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain JSON values."""
        return asdict(self)


def _of(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else '(s)'}"
