from tests.scones.conftest import Cli


def test_pushing_to_a_local_target_is_refused_by_name(cli: Cli) -> None:
    assert "--target aws" in str(cli("images", "push", "--target", "local").exception)
