import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from scones.cli import app
from scones.settings import ROOT


def scones(*arguments: str) -> Any:
    result = CliRunner().invoke(app, ["cost", *arguments])
    assert result.exit_code == 0, result.output
    return result


def test_the_page_in_docs_is_what_the_command_writes(tmp_path: Path) -> None:
    scones("--write", str(tmp_path / "cost.md"))
    assert (ROOT / "docs" / "cost.md").read_text("utf-8") == (tmp_path / "cost.md").read_text("utf-8"), (
        "run `scones cost --write docs/cost.md`"
    )


def test_json_gives_every_workflow_with_its_parts() -> None:
    result = json.loads(scones("--images", "1000", "--json").stdout)
    assert set(result["usd"]) == {"standard", "express", "batch"}
    for parts in result["usd"].values():
        total = parts.pop("total")
        assert abs(sum(parts.values()) - total) < 1e-12


def test_an_option_changes_the_assumption_that_it_names() -> None:
    result = json.loads(scones("--classify-ms", "500", "--json").stdout)
    assert result["assumptions"]["classify_ms"] == 500
    assert result["usd"]["express"]["lambda"] > json.loads(scones("--json").stdout)["usd"]["express"]["lambda"]
