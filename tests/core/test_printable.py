import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("bicycle (1) ü €.png", "bicycle (1) ü €.png"),
        ("\x1b[31mred.jpg", r"\x1b[31mred.jpg"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("one\u2028two", r"one\u2028two"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("caf\udce9.jpg", r"caf\xe9.jpg"),
        ("\x9b31m", r"\x9b31m"),
        ("\U000e0001tag", r"\U000e0001tag"),
    ],
)
def test_what_a_terminal_would_act_on_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters(codec=None), max_size=30))
def test_whatever_it_is_given_it_can_be_printed_in_one_line(text: str) -> None:
    shown = printable(text)
    assert isinstance(shown.encode("utf-8"), bytes)
    assert len(shown.splitlines()) <= 1
    assert "\x1b" not in shown
