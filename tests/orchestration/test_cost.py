import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.cost import (
    PRICES,
    WORKFLOWS,
    Assumptions,
    Prices,
    count_states,
    endpoint_month,
    estimate,
    memory_mb,
)
from orchestration.generate_definitions import CLASSIFY_IMAGE

LIST_PRICES = Prices.read()
BARE = Assumptions(
    image_kb=1024,
    serialize_ms=40,
    classify_ms=50,
    filter_ms=10,
    review_share=0,
    images_per_second=100,
    log_bytes=0,
    traced_share=0,
    captured_share=0,
)


def test_every_price_has_its_unit_and_the_page_it_is_from() -> None:
    table = json.loads(PRICES.read_text())["prices"]
    assert all(
        row["price"] > 0 and row["unit"] and row["source"].startswith("https://aws.amazon.com/")
        for row in table.values()
    )


def test_every_assumption_is_explained() -> None:
    assert set(Assumptions.descriptions()) == set(asdict(Assumptions()))


def test_an_image_passes_through_three_states() -> None:
    assert count_states(json.loads(CLASSIFY_IMAGE.read_text())) == 3


def test_the_memory_is_that_of_the_template() -> None:
    assert [memory_mb(name) for name in ("serialize", "classify", "filter")] == [1024, 512, 128]


def test_a_million_standard_executions_cost_their_transitions() -> None:
    assert estimate(1_000_000, BARE, LIST_PRICES, "standard").parts["workflow"] == pytest.approx(4 * 25)


def test_a_million_express_executions_cost_requests_and_time_in_steps() -> None:
    # 100 ms at 64 MB is 0.00625 GB-seconds at 0.00001667 dollars; one millisecond more is a step more
    assert estimate(1_000_000, BARE, LIST_PRICES, "express").parts["workflow"] == pytest.approx(1 + 0.1041875)
    longer = replace(BARE, filter_ms=11)
    assert estimate(1_000_000, longer, LIST_PRICES, "express").parts["workflow"] == pytest.approx(1 + 2 * 0.1041875)


def test_the_functions_cost_their_memory_for_their_time() -> None:
    gb_seconds = 0.040 * 1 + 0.050 * 0.5 + 0.010 * 0.125
    expected = 1_000_000 * (gb_seconds * 0.0000166667 + 3 * 0.0000002)
    assert estimate(1_000_000, BARE, LIST_PRICES, "express").parts["lambda"] == pytest.approx(expected)


def test_the_endpoint_costs_its_hours_and_the_data_that_goes_in() -> None:
    result = estimate(360_000, BARE, LIST_PRICES, "standard").parts["endpoint"]
    assert result == pytest.approx(1 * 0.23 + 360_000 / 1024 * 0.016)
    assert endpoint_month(LIST_PRICES) == pytest.approx(167.9)


@given(st.integers(1, 10**9), st.floats(0, 1), st.sampled_from(WORKFLOWS))
def test_twice_the_images_cost_twice_as_much(images: int, share: float, workflow: str) -> None:
    given_ = replace(Assumptions(), review_share=share)
    once, twice = (estimate(count, given_, LIST_PRICES, workflow).total for count in (images, 2 * images))
    assert twice == pytest.approx(2 * once)


@pytest.mark.parametrize(
    "change",
    [
        {"image_kb": 60.0},
        {"serialize_ms": 500.0},
        {"review_share": 0.9},
        {"images_per_second": 1.0},
        {"log_bytes": 9999.0},
    ],
)
def test_whatever_there_is_more_of_costs_more(change: dict[str, Any]) -> None:
    for workflow in WORKFLOWS:
        dearer = replace(Assumptions(), **change)
        assert (
            estimate(1000, dearer, LIST_PRICES, workflow).total
            > estimate(1000, Assumptions(), LIST_PRICES, workflow).total
        )


def test_arm_is_cheaper() -> None:
    arm = replace(Assumptions(), architecture="arm64")
    assert estimate(10, arm, LIST_PRICES, "express").total < estimate(10, Assumptions(), LIST_PRICES, "express").total
