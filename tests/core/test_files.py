import os
import stat
from pathlib import Path

import pytest

from core.files import atomic_writer, ensure_writable_file, ensure_writable_folder, write_atomically


@pytest.mark.parametrize("durable", [False, True])
def test_content_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "file"
    write_atomically(path, "old")
    write_atomically(path, b"new", durable=durable)
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    writer = atomic_writer(path)
    writer.__enter__().write(b"half")
    assert not writer.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_can_be_read_by_those_whom_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "file", "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_a_missing_directory_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "missing" / "file", "text")


def test_a_file_in_a_folder_that_does_not_exist_is_named_and_not_its_temporary_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as refusal:
        write_atomically(tmp_path / "nowhere" / "page.html", "content")
    assert refusal.value.filename == str(tmp_path / "nowhere" / "page.html")


def test_a_folder_for_results_is_created_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    ensure_writable_folder(tmp_path / "out" / "deep")
    ensure_writable_file(tmp_path / "out" / "deep" / "page.html")
    assert list((tmp_path / "out" / "deep").iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no folder that takes no file from root either")
def test_a_folder_that_takes_no_file_is_named() -> None:
    with pytest.raises(OSError, match=r"/proc/self'$"):
        ensure_writable_folder(Path("/proc/self"))


def test_a_file_in_place_of_a_folder_and_a_folder_in_place_of_a_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in tmp_path / "file", tmp_path / "file" / "below":
        with pytest.raises(OSError, match=str(path)):
            ensure_writable_folder(path)
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        ensure_writable_file(tmp_path)
