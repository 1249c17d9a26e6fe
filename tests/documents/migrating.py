"""Reads docs/migrating.md."""

from tests.documents.markdown import ROOT, blocks

TEXT = (ROOT / "docs" / "migrating.md").read_text("utf-8")


def python_block(word: str) -> str:
    """Return the block of Python in which ``word`` is."""
    (code,) = [
        "\n".join(lines) for _, language, lines in blocks(TEXT) if language == "python" and word in "\n".join(lines)
    ]
    return code
