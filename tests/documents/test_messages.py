"""The messages in README's table of remedies are those of the code."""

import re

import pytest

from tests.documents.markdown import ROOT

SECTION = (ROOT / "README.md").read_text("utf-8").partition("## Troubleshooting\n")[2].partition("\n## ")[0]
MESSAGES = [re.sub(r" http\S+$", "", message) for message in re.findall(r"^\| `([^`]+)`", SECTION, re.MULTILINE)]
PROGRAMS = [
    ROOT / "Makefile",
    *(path for name in ("scones", "orchestration", "services") for path in (ROOT / name).rglob("*.py")),
]
SOURCES = "".join(path.read_text("utf-8") for path in PROGRAMS)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_documented_message_is_printed(message: str) -> None:
    assert message in SOURCES


def test_messages_are_documented() -> None:
    assert len(MESSAGES) > 5
