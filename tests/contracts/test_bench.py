"""Figures in the documentation are those of the benches; and a sample of what is fuzzed, in every run of the tests."""

import json
from pathlib import Path

import pytest

from bench.results import Claim, markdown
from bench.scaling import Load, first_to_bite, fitted, simulate, table, used
from tests.quality.fuzz.__main__ import fuzz, shares
from tests.quality.fuzz.mutate import inputs
from tests.quality.fuzz.target import Target
from tests.quality.fuzz.worker import MAKERS

DOCS = Path(__file__).parents[2] / "docs"
SAMPLE = {"command-line": 25}


def test_the_page_of_benchmarks_is_what_was_measured() -> None:
    measured = json.loads((DOCS / "benchmarks.json").read_text("utf-8"))
    assert (DOCS / "benchmarks.md").read_text("utf-8") == markdown(measured)
    assert not any(section["quick"] for section in measured.values())


def test_the_page_on_scaling_has_the_arithmetic_of_its_bench() -> None:
    assert table(Load()) in (DOCS / "scaling.md").read_text("utf-8")


@pytest.mark.parametrize("target", MAKERS)
def test_hostile_inputs_end_in_an_answer_or_a_named_error(target: str, tmp_path: Path) -> None:
    report = fuzz(target, SAMPLE.get(target, 250), 1, tmp_path, coverage=False)
    assert report["findings"] == {}
    assert report["inputs"] == SAMPLE.get(target, 250)


def test_what_ends_in_another_error_is_found() -> None:
    def one(data: bytes) -> None:
        if b"\xff" in data:
            raise ZeroDivisionError

    found = []
    for data, _ in zip(inputs(Target(one, (), (b"honest",)), 0), range(500), strict=False):
        try:
            one(data)
        except ZeroDivisionError:
            found.append(data)
    assert found


def test_every_target_gets_inputs_and_together_as_many_as_were_asked_for() -> None:
    given = shares([*MAKERS, "emulator"], 220_000)
    assert sum(given.values()) >= 200_000
    assert min(given.values()) > 0


def test_a_claim_is_met_up_to_its_bound() -> None:
    assert Claim("ratio", 0.9, 0.9).met
    assert not Claim("ratio", 0.91, 0.9).met
    assert Claim("times", 5, 5, at_least=True).met
    assert str(Claim("times", 4, 5, at_least=True)) == "**not met**: times: 4 (≥ 5)"


def test_the_simulation_agrees_with_what_can_be_computed() -> None:
    rate, median = simulate(400, 1, 2, busy=0.05, idle=0.1)
    assert (rate, median) == pytest.approx((1 / 0.15, 0.15), rel=0.05)
    full, _ = simulate(400, 64, 2, busy=0.05, idle=0.1)
    assert full == pytest.approx(2 / 0.05, rel=0.1)
    busy, idle = fitted(150.0, full, 2)
    assert busy + idle == pytest.approx(0.15)
    assert busy == pytest.approx(0.05, rel=0.1)


def test_what_bites_first_is_used_up_where_it_says() -> None:
    name, most = first_to_bite(Load())[0]
    assert name == "endpoint"
    assert used(most, Load())["endpoint"] == pytest.approx(1)
