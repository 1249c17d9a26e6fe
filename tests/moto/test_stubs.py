"""docs/aws.md lists every call that a stub answers in moto's place, and what only AWS can tell."""

import re
from pathlib import Path

import boto3
import pytest

from bench import smoke_aws
from tests.moto.stubs import all_stubs

pytestmark = pytest.mark.moto
PAGE = (Path(__file__).parents[2] / "docs" / "aws.md").read_text("utf-8")


def rows(heading: str) -> list[list[str]]:
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_the_page_lists_every_stub() -> None:
    listed = set()
    for calls, _ in rows("Moto, a second stand-in"):
        names = re.findall(r"`([^`]+)`", calls)
        service = names[0].partition(":")[0]
        listed |= {f"{service}:{name.rpartition(':')[2]}" for name in names}
    assert listed == set(all_stubs(boto3.Session("test", "test", region_name="eu-central-1"), "http://127.0.0.1:1"))


def test_the_smoke_test_has_a_result_for_every_claim() -> None:
    source = Path(smoke_aws.__file__).read_text("utf-8")
    results = {*smoke_aws.NOT_CHECKED, *re.findall(r'results\["([^"]+)"\] =', source)}
    assert {key for key, *_ in rows("What only AWS can tell")} == results
