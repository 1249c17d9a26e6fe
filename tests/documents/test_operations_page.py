"""docs/operations.md lists every alarm of the template."""

import re

from orchestration.package import TEMPLATE
from tests.documents.markdown import ROOT

SECTION = (ROOT / "docs" / "operations.md").read_text("utf-8").partition("## Alarms\n")[2].partition("\n## ")[0]


def test_every_alarm_is_listed_and_no_other() -> None:
    alarms = set(re.findall(r"AlarmName: .*AWS::StackName}-([a-z-]+)", TEMPLATE.read_text("utf-8")))
    listed = set(re.findall(r"^\| ([a-z-]+) \|", SECTION, re.MULTILINE)) - {"alarm"}
    assert listed == alarms
