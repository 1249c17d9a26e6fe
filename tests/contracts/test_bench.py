"""The figures in the documentation are those of the benchmarks. Also runs a sample of the fuzzer's inputs."""

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


def test_the_page_on_benchmarks_is_generated_from_their_results() -> None:
    measured = json.loads((DOCS / "benchmarks.json").read_text("utf-8"))
    assert (DOCS / "benchmarks.md").read_text("utf-8") == markdown(measured)
    assert not any(section["quick"] for section in measured.values())


def test_the_page_on_scaling_has_the_table_of_its_benchmark() -> None:
    assert table(Load()) in (DOCS / "scaling.md").read_text("utf-8")


@pytest.mark.parametrize("target", MAKERS)
def test_hostile_inputs_end_in_a_result_or_a_named_error(target: str, tmp_path: Path) -> None:
    report = fuzz(target, SAMPLE.get(target, 250), 1, tmp_path, coverage=False)
    assert report["findings"] == {}
    assert report["inputs"] == SAMPLE.get(target, 250)


def test_another_error_is_detected() -> None:
    def one(data: bytes) -> None:
        if b"\xff" in data:
            raise ZeroDivisionError

    failures = []
    for data, _ in zip(inputs(Target(one, (), (b"honest",)), 0), range(500), strict=False):
        try:
            one(data)
        except ZeroDivisionError:
            failures.append(data)
    assert failures


def test_the_inputs_are_distributed_over_all_targets() -> None:
    counts = shares([*MAKERS, "emulator"], 220_000)
    assert sum(counts.values()) >= 200_000
    assert min(counts.values()) > 0


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


def test_the_first_limit_is_reached_at_the_computed_rate() -> None:
    name, most = first_to_bite(Load())[0]
    assert name == "endpoint"
    assert used(most, Load())["endpoint"] == pytest.approx(1)
