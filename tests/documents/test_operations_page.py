"""docs/operations.md lists every alarm of the template and every environment variable, each once."""

import re
from collections import Counter

from core.predictions import DEFAULT_THRESHOLD
from orchestration.package import TEMPLATE
from scones.settings import Settings
from tests.documents.markdown import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
# What reads or sets variables next to the settings of the CLI, of which it builds some names.
SOURCES = ("*/**/settings.py", "emulation/localstack/*.py", "docker-compose.yml", "Makefile", "tox.ini")
VARIABLE = re.compile(r"SCONES_[A-Z0-9]+(?:_[A-Z0-9]+)*\b")


class RecordedEnvironment(dict[str, str]):
    """An empty environment that records which variables are read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.read.add(name)
        return default


def rows(heading: str) -> list[list[str]]:
    """Return the cells of a section's table, without its head."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_every_alarm_is_listed_once_and_no_other() -> None:
    alarms = re.findall(r"AlarmName: .*AWS::StackName}-([a-z-]+)", TEMPLATE.read_text("utf-8"))
    assert Counter(cells[0] for cells in rows("Alarms")) == Counter(set(alarms))


def test_every_environment_variable_is_listed_once_and_no_other() -> None:
    environment = RecordedEnvironment()
    Settings.from_environment(environment)
    read = {name for name in environment.read if name.startswith("SCONES_")}
    texts = [path.read_text("utf-8") for pattern in SOURCES for path in ROOT.glob(pattern) if ".tox" not in path.parts]
    named = {name for text in texts for name in VARIABLE.findall(text)}
    listed = Counter(name for cells in rows("Environment variables") for name in VARIABLE.findall(cells[0]))
    assert listed == Counter(read | named)


def test_the_defaults_of_variables_are_those_of_the_settings() -> None:
    defaults = {cells[0].strip("`"): cells[1].strip("`") for cells in rows("Environment variables")}
    settings = Settings()
    assert {
        "SCONES_TARGET": settings.target.value,
        "SCONES_STACK": settings.stack,
        "SCONES_LOCALSTACK_URL": settings.localstack_url,
        "SCONES_SAGEMAKER_URL": settings.sagemaker_url,
        "SCONES_THRESHOLD": str(DEFAULT_THRESHOLD),
    }.items() <= defaults.items()
