"""What was read in one pass over captures, and what was skipped."""

from dataclasses import asdict, dataclass
from typing import Any

_JSON_KEYS = {"truncated": "torn", "missing_output": "unanswered", "from_the_future": "ahead"}


@dataclass
class CaptureCounts:
    """Counts of one pass.

    ``listings`` and ``fetches`` are requests to S3. ``files`` were read, ``foreign`` objects are not capture files,
    ``vanished`` ones were deleted between listing and reading. ``records`` were yielded; not yielded were those
    ``outside`` the time range, ``duplicates`` (by eventId), requests of an ``evaluation``, ``malformed`` lines,
    ``truncated`` last lines, records of an ``unknown_version``, and those with a ``missing_output``. Of the ``records``
    some are ``from_the_future``, by at most ``skew`` seconds.
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
    truncated: int = 0
    unknown_version: int = 0
    missing_output: int = 0
    from_the_future: int = 0
    skew: float = 0.0

    def sentences(self) -> list[str]:
        """Return what was skipped and why, as sentences; an empty list if nothing was."""
        dated = f"dated up to {self.skew:.0f} s in the future: this machine's clock and the endpoint's differ"
        counts = (
            (
                self.foreign,
                "object under the capture prefix is not a capture file",
                "objects under the capture prefix are not capture files",
            ),
            (self.vanished, "file was deleted while captures were read", "files were deleted while captures were read"),
            (
                self.duplicates,
                "record was captured twice and counts once",
                "records were captured twice and count once",
            ),
            (
                self.evaluation,
                "record of `scones evaluate` is excluded: it is not production traffic",
                "records of `scones evaluate` are excluded: they are not production traffic",
            ),
            (
                self.malformed,
                "line is not an inference with two probabilities",
                "lines are not inferences with two probabilities",
            ),
            (self.truncated, "file ends in a truncated line", "files end in a truncated line"),
            (self.unknown_version, "record has an unknown eventVersion", "records have an unknown eventVersion"),
            (
                self.missing_output,
                "record has no output: capture the endpoint's output, too",
                "records have no output: capture the endpoint's output, too",
            ),
            (self.from_the_future, f"record is {dated}", f"records are {dated}"),
        )
        return [f"{count:,} {one if count == 1 else many}" for count, one, many in counts if count]

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain JSON values, with the keys of version 1.0."""
        return {_JSON_KEYS.get(name, name): value for name, value in asdict(self).items()}
