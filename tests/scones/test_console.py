"""What is printed: in one piece in a pipe, and without anything that a terminal would act on."""

import pytest

from scones import console

LONG = "s3://" + "x" * 300


def test_a_uri_is_not_broken_in_a_pipe(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    console.print_values({"address": LONG})
    console.print_line(LONG)
    console.note(LONG)
    out, err = capsys.readouterr()
    assert out.count(LONG) == 2
    assert LONG in err


@pytest.mark.parametrize("text", ["\x1b[31mred.jpg", "\x1b]0;title\x07", "a\rb", "\u202egpj.exe", "\x9b2J"])
def test_no_escape_sequence_is_printed(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    console.print_values({"key": text})
    console.print_line(text)
    console.note(text)
    console.warn("error", text)
    console.out.print(console.escape(text))
    printed = "".join(capsys.readouterr())
    assert not set(printed) & set("\x1b\x07\r\u202e\x9b")


def test_markup_of_others_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_values({"key": "[bold]x[/]"})
    assert "[bold]x[/]" in capsys.readouterr().out
