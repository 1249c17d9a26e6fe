import json
from pathlib import Path

import pytest

from bench.scaling import Account, Load, fitted, forecast, quotas_by_rate, simulate, table, used

SCALING = Path(__file__).parents[2] / "docs" / "scaling.md"


def test_the_page_on_scaling_has_the_arithmetic_of_its_benchmark() -> None:
    assert table(Load()) in SCALING.read_text("utf-8")
    assert forecast(Load()) in SCALING.read_text("utf-8")


def test_the_simulation_reproduces_what_was_measured_locally() -> None:
    """Fitted to one and to sixteen executions at a time, it predicts four."""
    measured = json.loads((SCALING.parent / "benchmarks.json").read_text("utf-8"))["pipeline"]["figures"]
    busy, idle = fitted(1000 / measured["1"]["per_second"], measured["16"]["per_second"], 1)
    for concurrency in (1, 4, 16):
        rate, _ = simulate(400, concurrency, 1, busy, idle)
        assert rate == pytest.approx(measured[str(concurrency)]["per_second"], rel=0.25)


def test_an_account_is_limited_by_its_instances_or_by_its_concurrency() -> None:
    few, many = (forecast(Load(), (Account("a", 10, concurrency),)) for concurrency in (8, 640))
    assert "| a | 65 | concurrency |" in few
    assert "instances" in many


def test_the_simulation_agrees_with_what_can_be_computed() -> None:
    rate, median = simulate(400, 1, 2, busy=0.05, idle=0.1)
    assert (rate, median) == pytest.approx((1 / 0.15, 0.15), rel=0.05)
    full, _ = simulate(400, 64, 2, busy=0.05, idle=0.1)
    assert full == pytest.approx(2 / 0.05, rel=0.1)
    busy, idle = fitted(150.0, full, 2)
    assert busy + idle == pytest.approx(0.15)
    assert busy == pytest.approx(0.05, rel=0.1)


def test_the_quota_that_limits_first_is_used_up_at_its_rate() -> None:
    name, rate = quotas_by_rate(Load())[0]
    assert name == "endpoint"
    assert used(rate, Load())["endpoint"] == pytest.approx(1)
