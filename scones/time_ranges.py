"""Time ranges, as the command line names them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

import typer

from core.durations import parse_duration
from core.errors import InvalidDuration


@dataclass(frozen=True)
class TimeRange:
    """A time range in UTC; ``until`` None is open, so that what a clock that is ahead dated later is included."""

    since: datetime
    until: datetime | None = None

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d %H:%M:%S} to {f'{self.until:%Y-%m-%d %H:%M:%S}' if self.until else 'now'} UTC"

    @classmethod
    def parse(cls, since: str | None, start: str | None, end: str | None, now: datetime) -> Self:
        """Read ``--since``, ``--from`` and ``--to``. Raises BadParameter."""
        if since and start:
            raise typer.BadParameter("use either --since or --from", param_hint="--since")
        until = _time(end, "--to") if end else None
        begin = _time(start, "--from") if start else (until or now) - _age(since or "24h")
        if begin > (until or now):
            raise typer.BadParameter(f"the range starts at {begin:%Y-%m-%d %H:%M:%S} UTC, after it ends")
        return cls(begin, until)


def _time(text: str, option: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not a time such as 2026-11-24T06:00", param_hint=option) from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _age(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except InvalidDuration as error:
        raise typer.BadParameter(str(error), param_hint="--since") from None
