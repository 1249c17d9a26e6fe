import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.lst_files import read_lst
from tests.training.data.cifar_archives import ROWS, pixels_of
from training.data.cifar_archive import CifarSource
from training.data.dataset_manifest import parse_manifest, read_manifest
from training.data.errors import ArchiveNotFound, DataError, DestinationOccupied, DiskFull, NotStaged, WriteFailed
from training.data.labelled_images import LabelledImage, LabelledImages
from training.data.staging import stage

REPOSITORY = Path(__file__).parents[3]


@dataclass
class Drawn:
    """A source of plain squares; it can fail in the middle."""

    names: list[str] = field(default_factory=lambda: ["a.png", "b.png", "c.png"])
    fail: BaseException | None = None
    version: str = "1"
    dataset: str = "drawn"
    classes: tuple[str, ...] = ("bicycle", "motorcycle")
    asked: int = 0

    def fingerprint(self) -> str:
        return f"drawn {self.version}"

    def images(self) -> LabelledImages:
        self.asked += 1
        return LabelledImages(len(self.names), self._each())

    def _each(self) -> Iterator[LabelledImage]:
        for row, name in enumerate(self.names):
            if self.fail and row == len(self.names) - 1:
                raise self.fail
            colour = np.full((8, 8, 3), row % 256, np.uint8)
            yield LabelledImage("train" if row % 3 else "test", row, name, row % 2, colour)


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_a_staged_archive_has_images_lists_and_a_manifest(archive: Path, tmp_path: Path) -> None:
    staged = stage(CifarSource(archive), tmp_path / "out")
    files = tree(staged.path)
    assert {name.split("/")[0] for name in files} == {"train", "test", "train.lst", "test.lst", "manifest.json"}
    assert staged.written
    assert staged.manifest.counts() == {
        "train": {"bicycle": 10, "motorcycle": 10},
        "test": {"bicycle": 5, "motorcycle": 5},
    }
    for split, rows, seed in (("train", ROWS, 1), ("test", ROWS // 2, 2)):
        for entry in read_lst(staged.path / f"{split}.lst"):
            image = Image.open(staged.path / split / entry.file)
            assert (image.format, image.mode, image.info) == ("PNG", "RGB", {})
            np.testing.assert_array_equal(np.asarray(image), pixels_of(rows, seed, entry.index))
            assert entry.label == ("motorcycle" in entry.file)


def test_the_manifest_knows_every_file_and_its_maker(archive: Path, tmp_path: Path) -> None:
    staged = stage(CifarSource(archive), tmp_path / "out", tool="scones 1.2")
    files = tree(staged.path)
    assert read_manifest(staged.path) == staged.manifest
    assert set(staged.manifest.files) == set(files) - {"manifest.json"}
    for path, file in staged.manifest.files.items():
        assert (file.sha256, file.size) == (hashlib.sha256(files[path]).hexdigest(), len(files[path]))
    body = json.loads(files["manifest.json"])
    assert (body["dataset"], body["classes"], body["tool"]) == ("cifar100", ["bicycle", "motorcycle"], "scones 1.2")
    assert body["files"]["train/motorcycle_s_000002.png"] | {"sha256": "", "size": 0} == {
        "sha256": "", "size": 0, "label": 1, "split": "train", "row": 2,
    }  # fmt: skip


def test_the_same_images_give_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    one, other = (stage(CifarSource(archive), tmp_path / name).path for name in ("one", "other"))
    assert tree(one) == tree(other)


def test_what_is_staged_already_is_not_staged_again(tmp_path: Path) -> None:
    source = Drawn()
    assert stage(source, tmp_path / "out").written
    assert not stage(source, tmp_path / "out").written
    assert source.asked == 1


@pytest.mark.parametrize("harm", ["change", "remove"])
def test_damaged_staging_is_repaired(tmp_path: Path, harm: str) -> None:
    out = stage(Drawn(), tmp_path / "out").path
    before = tree(out)
    victim = out / "train/b.png"
    if harm == "remove":
        victim.unlink()
    else:
        victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    assert stage(Drawn(), out).written
    assert tree(out) == before


def test_another_source_replaces_what_was_staged(tmp_path: Path) -> None:
    stage(Drawn(["a.png", "b.png", "old.png"]), tmp_path / "out")
    stage(Drawn(["a.png", "b.png", "new.png"], version="2"), tmp_path / "out")
    assert not (tmp_path / "out/train/old.png").exists()
    assert (tmp_path / "out/train/new.png").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_directory_that_staging_did_not_make_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert stage(Drawn(), tmp_path / "out").written, "an empty directory is no loss"
    precious = tmp_path / "home"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years of work")
    with pytest.raises(DestinationOccupied, match="left unchanged"):
        stage(Drawn(), precious)
    assert tree(precious) == {"thesis.txt": b"years of work"}
    with pytest.raises(DestinationOccupied):
        stage(Drawn(), precious / "thesis.txt")


@pytest.mark.parametrize("error", [ArchiveNotFound(Path("x")), KeyboardInterrupt(), MemoryError()], ids=repr)
def test_nothing_half_written_stays_after_an_error(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)):
        stage(Drawn(fail=error), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_an_error_leaves_what_was_staged_before(tmp_path: Path) -> None:
    before = tree(stage(Drawn(), tmp_path / "out").path)
    with pytest.raises(ArchiveNotFound):
        stage(Drawn(fail=ArchiveNotFound(Path("x")), version="2"), tmp_path / "out")
    assert tree(tmp_path / "out") == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_full_disk_is_said_in_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, hard))  # the images fit, the manifest does not
    try:
        with pytest.raises(DiskFull, match=r"manifest\.json.*free some space"):
            stage(Drawn([f"{n}.png" for n in range(30)]), tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteFailed, match=r"Not a directory|File exists"):
        stage(Drawn(), tmp_path / "file" / "out")


def run_staging(out: Path, body: str) -> subprocess.Popen[str]:
    """Stage in another process; ``body`` is what happens at the image ``number``."""
    code = f"""
        import os, signal, sys, time
        from pathlib import Path
        import numpy as np
        from training.data.labelled_images import LabelledImage, LabelledImages
        from training.data.staging import stage

        class Slow:
            dataset, classes = "slow", ("a", "b")
            def fingerprint(self): return "slow"
            def images(self): return LabelledImages(20, self.each())
            def each(self):
                for number in range(20):
                    {body}
                    yield LabelledImage("train", number, f"{{number}}.png", 0, np.zeros((4, 4, 3), np.uint8))

        print(stage(Slow(), Path(sys.argv[1])).written, flush=True)
    """
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", textwrap.dedent(code), str(out)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_killed_staging_leaves_nothing_that_the_next_one_does_not_clean(tmp_path: Path) -> None:
    killed = run_staging(tmp_path / "out", "number == 10 and os.kill(os.getpid(), signal.SIGKILL)")
    assert killed.communicate(timeout=600) == ("", "")
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".out.staging-")] == []
    assert len(list(tmp_path.iterdir())) == 1
    assert stage(Drawn(), tmp_path / "out").written
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_a_killed_staging_had_moved_aside_comes_back(tmp_path: Path) -> None:
    before = tree(stage(Drawn(), tmp_path / "out").path)
    (tmp_path / ".out.staging-killed").mkdir()
    (tmp_path / "out").rename(tmp_path / ".out.staging-killed" / "old")
    with pytest.raises(DataError):
        stage(Drawn(fail=ArchiveNotFound(Path("x")), version="2"), tmp_path / "out")
    assert tree(tmp_path / "out") == before


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    stopped = run_staging(tmp_path / "out", "number == 10 and os.kill(os.getpid(), signal.SIGINT)")
    assert "KeyboardInterrupt" in stopped.communicate(timeout=600)[1]
    assert not list(tmp_path.iterdir())


def test_two_stagings_at_once_do_the_work_once(tmp_path: Path) -> None:
    both = [run_staging(tmp_path / "out", "time.sleep(0.02)") for _ in range(2)]
    responses = sorted(process.communicate(timeout=600)[0] for process in both)
    assert responses == ["False\n", "True\n"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


NAUGHTY = [
    "../../escape.png", "/etc/passwd", "..", "", "a/b/c.png", "C:\\windows\\x.png", "a\tb\n.png", ".hidden", "same.png",
    "SAME.PNG", "same.png", "x" * 500, "nul\0.png", "ünï.png", "no extension", "photo.jpg", "-rf.png", "image-2.png",
]  # fmt: skip


def test_names_from_the_source_never_leave_the_directory_nor_collide(tmp_path: Path) -> None:
    staged = stage(Drawn(NAUGHTY), tmp_path / "a/b/out")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    listed = [
        *(staged.path / "train" / entry.file for entry in read_lst(staged.path / "train.lst")),
        *(staged.path / "test" / entry.file for entry in read_lst(staged.path / "test.lst")),
    ]
    assert len({str(path).lower() for path in listed}) == len(NAUGHTY)
    for path in listed:
        assert path.parent.parent == staged.path
        assert path.is_file()
        assert path.name.endswith(".png")
        assert not path.name.startswith((".", "-"))
        assert len(path.name) < 130


def test_progress_counts_to_the_number_of_images(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    stage(Drawn(), tmp_path / "out", lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": 2}', '{"format": 1}', '{"format": 1, "files": []}', "[" * 100_000,
     '{"format": 1, "dataset": "", "classes": [], "source": "", "tool": "", "files": {"../x": {}}}',
     '{"format": 1, "dataset": "", "classes": [], "source": "", "tool": "", "files": {"x": {"size": 1}}}'],
)  # fmt: skip
def test_a_broken_manifest_means_that_nothing_is_staged(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(NotStaged, match="scones stage"):
        read_manifest(tmp_path)


def test_a_manifest_survives_its_file(tmp_path: Path) -> None:
    manifest = stage(Drawn(), tmp_path / "out").manifest
    assert parse_manifest(manifest.to_json()) == manifest


@pytest.mark.cifar
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells the peak of a process in /proc")
def test_the_real_archive_is_staged_in_little_memory(real_archive: Path, tmp_path: Path) -> None:
    code = """
        import sys
        from pathlib import Path
        from training.data.cifar_archive import CifarSource
        from training.data.staging import stage
        stage(CifarSource(Path(sys.argv[1])), Path(sys.argv[2]))
        peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
        print(int(peak.split()[1]) // 1024)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(real_archive), str(tmp_path / "out")]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=600)
    assert int(done.stdout) < 200, "MiB"
    assert read_manifest(tmp_path / "out").counts()["train"] == {"bicycle": 500, "motorcycle": 500}
    image = Image.open(BytesIO((tmp_path / "out/train/bike_s_000682.png").read_bytes()))
    assert (image.size, image.mode) == ((32, 32), "RGB")


def test_images_of_other_classes_get_directories_and_lists_of_their_own(archive: Path, tmp_path: Path) -> None:
    staged = stage(CifarSource(archive, others=6), tmp_path / "with")
    assert [len(read_lst(tmp_path / "with" / f"{name}.lst")) for name in ("other", "other_test")] == [6, 3]
    assert {entry.label for entry in read_lst(tmp_path / "with" / "other.lst")} == {2}
    assert len(staged.manifest.images("other")) == 6
    assert staged.manifest.matches(tmp_path / "with")
    stage(CifarSource(archive), tmp_path / "without")
    assert not (tmp_path / "without" / "other.lst").exists()
    assert (tmp_path / "with" / "train.lst").read_bytes() == (tmp_path / "without" / "train.lst").read_bytes()
