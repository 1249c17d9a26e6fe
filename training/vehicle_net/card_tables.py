"""The card's tables, and those of the recipes that were tried."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

_SEARCH = Path(__file__).with_name("search.json")
_SEARCH_NEITHER = Path(__file__).with_name("search_neither.json")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def tried() -> str:
    """Recipes of two outputs, with their scores."""
    tried = json.loads(_SEARCH.read_text(encoding="utf-8"))
    rows = [
        (row["recipe"], row["folds"], f"{row['correct']} of {row['images']}", f"{row['correct'] / row['images']:.4f}")
        for row in tried
    ]
    return table(("tried by cross-validation", "folds", "right", "accuracy"), rows)


def tried_with_neither() -> str:
    """Recipes of three outputs, with their scores."""
    tried = json.loads(_SEARCH_NEITHER.read_text(encoding="utf-8"))
    rows = [
        (
            row["recipe"],
            row["folds"],
            f"{row['correct']} of {row['images']}",
            f"{row['accepted_correct']} of {row['accepted']}",
            f"{row['jpeg_30_correct']}",
            f"{row['others_accepted']} of {row['others']}",
            f"{row['photographs_correct']} of {row['photographs']}",
            f"{row['photographs_accepted_correct']} of {row['photographs_accepted']}",
            f"{row['photographs_of_neither_accepted']} of {row['photographs_of_neither']}",
        )
        for row in tried
    ]
    head = (
        "tried by cross-validation, with a third output",
        "folds",
        "right",
        "right among accepted",
        "right at JPEG quality 30",
        "other classes accepted",
        "photographs right",
        "right among accepted photographs",
        "photographs of neither accepted",
    )
    return table(head, rows)
