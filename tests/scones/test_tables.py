"""Nothing of a table is cut off, neither in a terminal of the usual width nor in half of it."""

from collections.abc import Callable

import pytest
from rich.console import Console, RenderableType

from monitoring.drift import DriftReport, Signal, Verdict
from orchestration.cost import WORKFLOWS, Assumptions, Prices, estimate
from orchestration.executions import Outcome, S3Image
from scones import console
from scones.diagnosis import CheckStatus, Finding, Mode
from scones.views.cost import cost_table
from scones.views.diagnosis import findings_table
from scones.views.environment import environment_table
from scones.views.executions import outcome_table
from scones.views.monitoring import signals_table

PHOTOGRAPHS = [f"/home/somebody/photographs/of/september/photograph-{number}.png" for number in (1, 2)]
MESSAGE = "the image has 12 x 9 pixels, at least 32 x 32 are needed"
QUEUE = "http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/scones-review"
LOGS = "/home/somebody/projects/classification/scones/.scones/logs"
DETAIL = "24.1 GB free in /home/somebody/.cache/scones, 6 GB are needed"


def outcomes() -> RenderableType:
    images = [S3Image("data", name) for name in PHOTOGRAPHS]
    classified = Outcome(images[0], "", "SUCCEEDED", {"label": "motorcycle", "confidence": 0.9987}, None, None, 1234)
    failed = Outcome(images[1], "", "FAILED", None, "UnsupportedImage", MESSAGE, 345)
    return outcome_table([classified, failed], dict(zip(images, PHOTOGRAPHS, strict=True)))


def costs() -> RenderableType:
    prices = Prices.read()
    return cost_table([estimate(10_000_000, Assumptions(), prices, workflow) for workflow in WORKFLOWS], prices)


def signals() -> RenderableType:
    signal = Signal("brightness", "KS", 0.1234, 0.1, 0.0001, 0.0123, 0.456, 0.789, Verdict.WATCH, "")
    return signals_table(DriftReport(9, Verdict.WATCH, "", (signal,), None, (), None))


TABLES: dict[str, tuple[Callable[[], RenderableType], list[str]]] = {
    "run": (outcomes, [*PHOTOGRAPHS, "motorcycle", "0.9987", "UnsupportedImage", MESSAGE, "1234", "345"]),
    "cost": (costs, ["standard", "EventBridge", "10,000,000 images in us-east-1", "total", "1,075.00", "1,302.66"]),
    "monitor": (signals, ["brightness", "baseline", "0.456", "KS 0.123", "adjusted p", "0.0123", "watch"]),
    "status": (
        lambda: environment_table({"localstack": "http://127.0.0.1:24566"}, LOGS, {"localstack": False}),
        ["localstack", "http://127.0.0.1:24566", "not healthy", LOGS],
    ),
    "doctor": (
        lambda: findings_table([(Mode.LAPTOP, Finding("disk space", CheckStatus.WARNING, DETAIL))]),
        ["laptop", "disk space", "advice", DETAIL],
    ),
    "values": (lambda: console.values_table([("ReviewQueueUrl", QUEUE)]), ["ReviewQueueUrl", QUEUE]),
}


def screen(table: RenderableType, width: int) -> str:
    terminal = Console(width=width, color_system=None)
    with terminal.capture() as captured:
        terminal.print(table)
    return captured.get()


def joined(shown: str) -> str:
    """Return what the columns say, one after the other, or the lines, without spaces."""
    rows = [line.replace("┃", "│").split("│") for line in shown.splitlines()]
    columns = max(map(len, rows))
    cells = [row[column] for column in range(columns) for row in rows if column < len(row)]
    return "".join("".join(cells).split())


@pytest.mark.parametrize("width", [80, 40])
@pytest.mark.parametrize("name", TABLES)
def test_no_value_is_cut_off(name: str, width: int) -> None:
    table, values = TABLES[name]
    shown = screen(table(), width)
    assert "…" not in shown
    assert [value for value in values if value.replace(" ", "") not in joined(shown)] == []
    assert max(map(len, shown.splitlines())) <= width


def test_where_nothing_fits_each_value_has_its_own_line() -> None:
    assert (
        screen(signals(), 40)
        == """\
brightness
  baseline: 0.456
  current: 0.789
  statistic: KS 0.123
  adjusted p: 0.0123
  verdict: watch
"""
    )


def test_a_label_of_markup_has_its_style_on_a_line_of_its_own() -> None:
    terminal = Console(width=40, color_system="standard", force_terminal=True)
    with terminal.capture() as captured:
        terminal.print(outcomes())
    assert "label: \x1b[32mmotorcycle" in captured.get()
