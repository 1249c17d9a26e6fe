import json
from pathlib import Path

from bench.__main__ import BENCHMARKS
from bench.results import Claim, Table, markdown

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_benchmarks_is_what_was_measured() -> None:
    measured = json.loads((DOCS / "benchmarks.json").read_text("utf-8"))
    assert (DOCS / "benchmarks.md").read_text("utf-8") == markdown(measured)
    assert set(measured) <= set(BENCHMARKS)
    assert not any(section["quick"] for section in measured.values())


def test_a_claim_is_met_up_to_its_bound() -> None:
    assert Claim("ratio", 0.9, 0.9).met
    assert not Claim("ratio", 0.91, 0.9).met
    assert str(Claim("times", 4, 5, at_least=True)) == "**not met**: times: 4 (≥ 5)"


def test_a_table_has_separators_in_its_integers() -> None:
    table = Table.of(["batch", "s"], [(5000, 1.5)], "Batches:")
    assert table.markdown() == ["Batches:", "", "| batch | s |", "| --- | ---: |", "| 5,000 | 1.5 |", ""]
