from monitoring.drift import Verdict
from scones.commands.monitor import EXIT_CODES


def test_every_verdict_has_an_exit_code() -> None:
    assert EXIT_CODES == {Verdict.UNKNOWN: 0, Verdict.STABLE: 0, Verdict.WATCH: 3, Verdict.DRIFTED: 4}
    assert set(EXIT_CODES) == set(Verdict)
