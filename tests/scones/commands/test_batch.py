import pytest

from scones.errors import BatchUnclear
from tests.scones.conftest import Cli


@pytest.mark.parametrize("words", [[], ["photos", "--attach", "arn"]])
def test_a_batch_is_started_or_attached_to_and_not_both(words: list[str], cli: Cli) -> None:
    assert isinstance(cli("batch", *words).exception, BatchUnclear)
