"""Each report in docs/troubleshooting.md names the test that holds it."""

from tests.documents.markdown import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
ROWS = [line for line in PAGE.partition("## Reported elsewhere")[2].splitlines() if line.startswith("| [")]


def test_there_are_fifteen_reports_and_each_has_a_source_and_a_test_that_exists() -> None:
    assert len(ROWS) >= 15
    for row in ROWS:
        cells = [cell.strip() for cell in row.strip("|").split(" | ")]
        assert len(cells) == 5, row
        assert "https://github.com/" in cells[0]
        assert (ROOT / cells[4]).is_file(), row
