"""The tables of `scones run`: the latest outcomes while there are more to come, and all at the end."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Group
from rich.live import Live
from rich.text import Text

from orchestration.executions import Outcome, S3Image
from scones import console
from scones.image_inputs import SkippedInput
from scones.tables import FoldingTable

SHOWN = 12
SHOWN_NAMES = 3


@contextmanager
def live_outcomes(total: int, names: Mapping[S3Image, str]) -> Iterator[Callable[[Outcome], None]]:
    """Show the latest outcomes and their counts on standard error while there are more to come."""
    latest: deque[Outcome] = deque(maxlen=SHOWN)
    counts: Counter[str] = Counter()
    with Live(console=console.err, transient=True, refresh_per_second=8) as screen:

        def show(outcome: Outcome) -> None:
            latest.append(outcome)
            counts[outcome.error or outcome.status] += 1
            summary = ", ".join(f"{name} {count}" for name, count in counts.most_common())
            screen.update(Group(outcome_table(list(latest), names), Text(f"{counts.total()} of {total}: {summary}")))

        yield show


def outcome_table(outcomes: Sequence[Outcome], names: Mapping[S3Image, str]) -> FoldingTable:
    """Return the outcomes as a table, each image by the name that the user gave it."""
    table = FoldingTable("image", "label", "confidence", "ms")
    for outcome in outcomes:
        name = console.escape(names[outcome.image])
        duration = f"{outcome.milliseconds:.0f}"
        if outcome.output:
            label, confidence = (
                f"[green]{console.escape(outcome.output['label'])}[/]",
                f"{outcome.output['confidence']:.4f}",
            )
        else:
            label = f"[red]{console.escape(outcome.error or outcome.status)}[/]"
            confidence = console.escape(outcome.message or "")
        table.add_row(name, label, confidence, duration)
    return table


def show_counts(outcomes: Sequence[Outcome], skipped: Sequence[SkippedInput]) -> None:
    """Print how many inputs there were and how they ended; each is in one of the counts."""
    counts = Counter(outcome.status if outcome.error is None else outcome.error for outcome in outcomes)
    classified, to_review = counts.pop("SUCCEEDED", 0), counts.pop("ThresholdConfidenceNotMet", 0)
    count = len(outcomes) + len(skipped)
    console.note(
        f"{'1 input' if count == 1 else f'{count} inputs'}: {classified} classified, {to_review} for review, "
        f"{counts.total()} failed, {len(skipped)} skipped"
    )


def show_skipped(entries: Sequence[SkippedInput]) -> None:
    """Print how many files are skipped for which reason, and the first of them by name."""
    for reason, count in Counter(entry.reason for entry in entries).most_common():
        names = [entry.name for entry in entries if entry.reason == reason]
        shown = ", ".join(names[:SHOWN_NAMES]) + (", …" if count > SHOWN_NAMES else "")
        console.print_line(f"skipped: {reason}, {count} ({shown})", "dim")
