from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import MalformedLst, SconesError
from core.lst_files import Entry, format_lst, parse_lst, read_lst, write_lst

names = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Zs", "Cs"), exclude_characters="/\\"), min_size=1
)
files = st.lists(names.filter(lambda name: name not in {".", ".."}), min_size=1, max_size=3).map("/".join)
entries = st.lists(
    st.builds(Entry, st.integers(0, 10**9), st.integers(0, 99), files), max_size=30, unique_by=lambda entry: entry.index
)


@given(entries)
def test_what_is_written_is_read_back(listed: list[Entry]) -> None:
    assert parse_lst(format_lst(listed), "x.lst") == listed


def test_a_file_has_one_line_a_image_with_tabs_between(tmp_path: Path) -> None:
    path = tmp_path / "train.lst"
    write_lst(path, [Entry(16, 0, "bike_s_000682.png"), Entry(30, 1, "b/c.png")])
    assert path.read_bytes() == b"16\t0\tbike_s_000682.png\n30\t1\tb/c.png\n"
    assert read_lst(path) == [Entry(16, 0, "bike_s_000682.png"), Entry(30, 1, "b/c.png")]


def test_the_labels_of_im2rec_are_read() -> None:
    text = "0\t0.000000\tbicycle/a.png\n1\t1.000000\tmotorcycle/b.png\n"
    assert parse_lst(text, "x") == [Entry(0, 0, "bicycle/a.png"), Entry(1, 1, "motorcycle/b.png")]


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf1\t0\ta.png\n2\t1\tb.png\n",
        b"1\t0\ta.png\r\n2\t1\tb.png\r\n",
        b"\n1\t0\ta.png\n\n  \n2\t1\tb.png\n\n",
        b"\xef\xbb\xbf\r\n1\t0\ta.png\r\n\r\n2\t1.0\tb.png",
    ],
    ids=["byte order mark", "CRLF", "blank lines", "all of them"],
)
def test_what_editors_write_is_read(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "train.lst").write_bytes(data)
    assert read_lst(tmp_path / "train.lst") == [Entry(1, 0, "a.png"), Entry(2, 1, "b.png")]


def test_windows_line_ends_and_a_missing_last_one_are_read() -> None:
    assert parse_lst("1\t0\ta.png\r\n2\t1\tb.png", "x") == [Entry(1, 0, "a.png"), Entry(2, 1, "b.png")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1\t0", "2 fields"),
        ("1\t0\ta.png\tb", "4 fields"),
        ("1\t0.000000\t1.000000\ta.png", "2 labels"),
        ("1\t0\t1\t0.5\ta.png", "3 labels"),
        ("1\t1.5\ta.png", "whole numbers"),
        ("1 0 a.png", "1 fields"),
        ("one\t0\ta.png", "whole numbers"),
        ("1\t0.5\ta.png", "whole numbers"),
        ("-1\t0\ta.png", "whole numbers"),
        ("1\t²\ta.png", "whole numbers"),
        ("1\t0\t", "not a file"),
        ("1\t0\t ", "not a file"),
        ("1\t0\t/etc/passwd", "not a file"),
        ("1\t0\t../a.png", "not a file"),
        ("1\t0\ttrain\\a.png", "has backslashes"),
        ("7\t0\tagain.png", "index 7 appears twice"),
    ],
)
def test_a_malformed_line_is_named_by_its_number(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "train.lst"
    path.write_text(f"7\t0\tgood.png\n{line}\n8\t0\tgood.png\n")
    with pytest.raises(MalformedLst, match=rf"train\.lst, line 2: .*{reason}"):
        read_lst(path)


def test_what_is_not_text_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "train.lst"
    path.write_bytes(b"1\t0\ta.png\n2\t0\t\xff\xfe.png\n")
    with pytest.raises(MalformedLst, match="line 2: it is not UTF-8"):
        read_lst(path)


def test_a_name_that_would_break_the_file_is_not_written(tmp_path: Path) -> None:
    for name in ("a\tb.png", "a\nb.png", "../a.png"):
        with pytest.raises(MalformedLst):
            write_lst(tmp_path / "train.lst", [Entry(1, 0, name)])
    assert not (tmp_path / "train.lst").exists()


@settings(max_examples=200)
@given(
    st.one_of(st.text(max_size=200), st.lists(st.sampled_from(["1", "0", "\t", "\n", "a.png", "/", ".."])).map("".join))
)
def test_arbitrary_text_ends_in_entries_or_a_named_error(text: str) -> None:
    try:
        result = parse_lst(text, "x.lst")
    except SconesError:
        return
    assert parse_lst(format_lst(result), "x.lst") == result
