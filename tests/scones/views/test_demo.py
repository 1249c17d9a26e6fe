from rich.console import Console

from scones.demo_summary import DemoSummary
from scones.recent_executions import BELOW_THRESHOLD
from scones.views.demo import summary_panel
from tests.scones.test_demo_summary import summary


def test_the_screen_says_when_something_is_missing() -> None:
    console = Console(width=120, record=True, file=None)
    with console.capture() as captured:
        console.print(summary_panel(summary(captured=2), 0.94))
    assert "not accounted for" in captured.get()


SCREEN = """\
╭────────────────────────────── Scones ───────────────────────────────╮
│ Outcomes of the images                                              │
│  outcome                                  ┃ images                  │
│ ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━                 │
│  classified                               │      2                  │
│  ThresholdConfidenceNotMet → review queue │      1                  │
│  UnsupportedImage → failure queue         │      1                  │
│                                                                     │
│ data                  synthetic, held-out test images               │
│ accuracy              66.7%  (2 of 3; 95 % interval 20.8% to 93.9%) │
│ accepted at 0.94      66.7%  (2 of 3; 95 % interval 20.8% to 93.9%) │
│ accuracy of accepted  50.0%  (1 of 2; 95 % interval 9.5% to 90.5%)  │
│ neither class         0 images: 0 to review, 0 accepted             │
│ latency               p50 100 ms, p95 100 ms an execution           │
│ captured              3 of 3 inferences                             │
│ queues                review 1, failure 1                           │
│ time                  up 1.0 s, run 2.5 s                           │
│ logs                  .scones/logs                                  │
╰─────────────────── every image is accounted for ────────────────────╯
"""


def screen(summary_: DemoSummary, colours: bool = False) -> str:
    console = Console(width=100, color_system="standard" if colours else None, force_terminal=colours)
    with console.capture() as captured:
        console.print(summary_panel(summary_, 0.94))
    return captured.get()


def test_the_screen_shows_every_figure_of_the_summary() -> None:
    assert screen(summary(seconds={"up": 1.0, "run": 2.5}, files={"logs": ".scones/logs"})) == SCREEN


def test_colours_tell_a_review_from_a_failure_and_what_is_missing() -> None:
    shown = screen(summary(captured=2), colours=True)
    green, yellow, red, bold = (f"\x1b[{code}m" for code in (32, 33, 31, 1))
    assert f"{green}classified" in shown
    assert f"{yellow}{BELOW_THRESHOLD}" in shown
    assert f"{red}UnsupportedImage" in shown
    assert f"{red}some images are not accounted for: see the logs" in shown
    assert f"{bold}accuracy of accepted" in shown
