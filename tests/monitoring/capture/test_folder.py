from datetime import timedelta
from pathlib import Path

from monitoring.capture import CaptureFolder, CaptureLocation, CaptureReader
from tests.monitoring.captures import NOON, file, line


def test_a_downloaded_folder_is_read_like_a_bucket(tmp_path: Path) -> None:
    hour = tmp_path / "vehicles" / "AllTraffic" / "2026" / "03" / "01" / "12"
    hour.mkdir(parents=True)
    (hour / "00-00-305-a.jsonl").write_bytes(file(line("a"), line("b")))
    (hour / "00-01-305-b.jsonl.gz").write_bytes(file(line("c"), packed=True))
    (tmp_path / "notes.txt").write_text("not a capture")
    captures = CaptureReader(CaptureFolder(tmp_path), CaptureLocation("", ""), NOON, NOON + timedelta(hours=1))
    assert [inference.event_id for inference in captures] == ["a", "b", "c"]
    assert captures.counts.foreign == 1
