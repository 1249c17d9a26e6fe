"""Tables that cut nothing off, however narrow the terminal is."""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

_FOLDED_WIDTH = 16
"""Narrower columns stay in one piece; wider ones are folded, to no less than this."""


class FoldingTable(Table):
    """Folds wide columns where the terminal is narrow. Where not even that fits, each value has its own line."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the table in the form that fits."""
        headings = [Measurement.get(console, options, column.header) for column in self.columns]
        cells = [_width(column, console, options) for column in self.columns]
        if self._fits(map(max, cells, (heading.maximum for heading in headings)), options):
            widths: list[int | None] = [None] * len(cells)
        else:
            least = list(map(max, cells, (heading.minimum for heading in headings)))
            if not self._fits((min(width, _FOLDED_WIDTH) for width in least), options):
                yield from self._lines(console)
                return
            widths = [width if width <= _FOLDED_WIDTH else None for width in least]
        for column, width in zip(self.columns, widths, strict=True):
            column.width, column.overflow = width, "fold"
        yield from super().__rich_console__(console, options)

    def _fits(self, widths: Iterator[int], options: ConsoleOptions) -> bool:
        padded = sum(width + self._get_padding_width(index) for index, width in enumerate(widths))
        return padded + self._extra_width <= options.max_width

    def _lines(self, console: Console) -> Iterator[RenderableType]:
        """Yield each row as a line, and its other values, indented; without headings only the last one."""
        if self.title:
            yield _text(console, self.title)
        for row in zip(*(column.cells for column in self.columns), strict=True):
            texts = [_text(console, cell) for cell in row]
            values = [(column.header, text) for column, text in zip(self.columns, texts, strict=True) if text]
            first = 1 if self.show_header else len(values) - 1
            yield _folded(Text("  ").join(text for _, text in values[:first]))
            for header, text in values[first:]:
                heading = f"{header}: " if header else ""
                yield Padding(_folded(Text(heading) + text), (0, 0, 0, 2), expand=False)


def _width(column: Column, console: Console, options: ConsoleOptions) -> int:
    return max((Measurement.get(console, options, cell).maximum for cell in column.cells), default=0)


def _text(console: Console, cell: RenderableType) -> Text:
    """Return a cell or a title as text; those of commands are text or markup."""
    return cell.copy() if isinstance(cell, Text) else console.render_str(str(cell))


def _folded(text: Text) -> Text:
    text.overflow = "fold"
    return text
