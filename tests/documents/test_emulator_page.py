"""The calls that docs/sagemaker-emulator.md lists are those that the emulator has."""

from emulation.sagemaker.control.control_plane import AUTOSCALING, OPERATIONS
from emulation.sagemaker.control.schedules import OPERATIONS as SCHEDULES
from tests.documents.markdown import ROOT

SECTION = (ROOT / "docs" / "sagemaker-emulator.md").read_text("utf-8").partition("## Calls\n")[2].partition("\n## ")[0]
ROWS = [line.split("|") for line in SECTION.splitlines() if line.startswith("| ")][1:]


def test_every_emulated_call_is_listed_and_no_other() -> None:
    listed = {name.strip() for row in ROWS for name in row[2].split(",")}
    runtime = {"InvokeEndpoint", "InvokeEndpointWithResponseStream"}
    assert listed == {*OPERATIONS, *AUTOSCALING, *SCHEDULES.values(), *runtime}
