"""The emulator's parts by themselves."""

from pathlib import Path

import pytest

from emulation.sagemaker.store import Account, Kind, Record, Store, write_atomically


def test_a_store_reads_back_what_it_wrote_and_passes_over_what_is_broken(tmp_path: Path) -> None:
    store = Store(tmp_path, Account("us-east-1"))
    record = Record("Name", "arn", 1.5, 2.5, {"Image": "i"}, {"k": "v"}, {"p": 1})
    store.save(Kind.MODEL, record)
    (tmp_path / "model" / "broken.json").write_text('{"name": "x"')
    (tmp_path / "model" / "other.json").write_text('{"surprise": 1}')
    again = Store(tmp_path, Account("us-east-1"))
    assert again.find(Kind.MODEL, "NAME") == record
    assert again.all(Kind.MODEL) == [record]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, None)  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["file.json"]
