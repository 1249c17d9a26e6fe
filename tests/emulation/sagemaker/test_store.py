"""Records survive a restart, and a broken file hides no other."""

from pathlib import Path

from emulation.sagemaker.store import Account, Kind, Record, Store


def test_a_store_reads_back_what_it_wrote_and_passes_over_what_is_broken(tmp_path: Path) -> None:
    store = Store(tmp_path, Account("us-east-1"))
    record = Record("Name", "arn", 1.5, 2.5, {"Image": "i"}, {"k": "v"}, {"p": 1})
    store.save(Kind.MODEL, record)
    (tmp_path / "model" / "broken.json").write_text('{"name": "x"')
    (tmp_path / "model" / "other.json").write_text('{"surprise": 1}')
    again = Store(tmp_path, Account("us-east-1"))
    assert again.find(Kind.MODEL, "NAME") == record
    assert again.all(Kind.MODEL) == [record]
