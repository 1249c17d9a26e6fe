import json
from pathlib import Path

from scones.diagnosis import CheckStatus, Mode
from tests.scones.conftest import Cli


def test_the_exit_code_is_that_of_the_worst_finding(cli: Cli, tmp_path: Path) -> None:
    result = cli("doctor", "laptop", "--json")
    findings = json.loads(result.stdout)
    assert {finding["mode"] for finding in findings} == {Mode.LAPTOP}
    assert result.exit_code == int(any(finding["verdict"] == CheckStatus.ERROR for finding in findings)) == 0
    assert cli("doctor", "laptop", "--archive", str(tmp_path / "nowhere")).exit_code == 1
