"""The prices in README are those of docs/cost.md."""

import re

from tests.documents.markdown import ROOT


def total(workflow: str) -> str:
    page = (ROOT / "docs" / "cost.md").read_text("utf-8")
    (row,) = (line for line in page.splitlines() if line.startswith(f"| {workflow} | ") and "**" in line)
    return f"{float(re.findall(r'[*]{2}([0-9.]+)[*]{2}', row)[0]):.0f}"


def test_a_million_images_cost_what_the_page_of_costs_says() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert f"cost {total('express')} dollars with Express workflows and {total('batch')} as a batch" in readme
