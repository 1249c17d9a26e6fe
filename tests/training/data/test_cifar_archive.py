import os
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.training.data.cifar_archives import (
    FOLDER,
    ROWS,
    Members,
    gzip_of,
    members,
    pack,
    pixels_of,
    python_2_pickle,
    split,
)
from training.data import archive_members, cifar_pickles
from training.data.cifar_archive import CifarSource, read_classes
from training.data.cifar_names import FINE_NAMES
from training.data.errors import (
    ArchiveCorrupt,
    ArchiveError,
    ArchiveNotFound,
    ArchiveTooLarge,
    ClassNotFound,
    UnreadableArchive,
    UnsafeArchive,
)

MakeArchive = Callable[[Members], Path]


def test_the_vehicles_come_out_with_their_pixels_names_rows_and_labels(archive: Path) -> None:
    images = read_classes(archive)
    assert [(p.split, p.row) for p in images] == [
        *(("train", row) for row in range(0, ROWS, 2)),
        *(("test", row) for row in range(0, ROWS // 2, 2)),
    ]
    assert [p.label for p in images[:4]] == [0, 1, 0, 1]
    assert images[0].name == "bicycle_s_000000.png"
    for image in images:
        rows, seed = (ROWS, 1) if image.split == "train" else (ROWS // 2, 2)
        np.testing.assert_array_equal(image.pixels, pixels_of(rows, seed, image.row))


def test_pixels_too_many_for_one_piece_are_read_in_many(make_archive: MakeArchive) -> None:
    images = read_classes(make_archive(members(rows=1500)))
    assert len(images) == 750 + 375
    np.testing.assert_array_equal(images[749].pixels, pixels_of(1500, 1, 1498))


def test_numpy_1_named_its_module_otherwise_and_its_pickles_are_read_too(make_archive: MakeArchive) -> None:
    renamed = {name: data.replace(b"numpy._core", b"numpy.core") for name, data in members().items()}
    assert any(b"numpy.core" in data for data in renamed.values())
    assert len(read_classes(make_archive(renamed))) == 30


def test_the_pickles_of_python_2_are_read(make_archive: MakeArchive) -> None:
    contents = {f"{FOLDER}/train": python_2_pickle(split(ROWS, 1)), f"{FOLDER}/test": python_2_pickle(split(20, 2))}
    names = {b"fine_label_names": [name.encode() for name in FINE_NAMES]}
    images = read_classes(make_archive({**contents, f"{FOLDER}/meta": python_2_pickle(names)}))
    assert len(images) == 30
    np.testing.assert_array_equal(images[1].pixels, pixels_of(ROWS, 1, 2))


def test_pixels_that_come_before_their_labels_are_read(make_archive: MakeArchive) -> None:
    backwards = {f"{FOLDER}/train": dict(reversed(split(ROWS, 1).items())), f"{FOLDER}/test": split(ROWS // 2, 2)}
    contents = members() | {name: pickle.dumps(content, 2) for name, content in backwards.items()}
    assert len(read_classes(make_archive(contents))) == 30


def test_the_order_of_the_members_does_not_matter(make_archive: MakeArchive) -> None:
    contents = members()
    forwards = read_classes(make_archive(contents))
    backwards = read_classes(make_archive(dict(reversed(contents.items()))))
    assert [(p.split, p.row) for p in forwards] == [(p.split, p.row) for p in backwards]


def test_the_archive_says_which_number_a_class_has(make_archive: MakeArchive) -> None:
    names = ("moped", "motorcycle", "unicycle", "bicycle")
    images = read_classes(make_archive(members(names=names)))
    assert {(p.name.split("_")[0], p.label) for p in images} >= {("bicycle", 0), ("motorcycle", 1)}
    assert all(p.name.startswith(("bicycle", "motorcycle")[p.label]) for p in images)


def test_another_pair_of_classes_needs_only_its_names(archive: Path) -> None:
    images = read_classes(archive, ("bear", "apple"))
    assert {(p.name.split("_")[0], p.label) for p in images} <= {("bear", 0), ("apple", 1)}
    assert CifarSource(archive, ("bear", "apple")).fingerprint() != CifarSource(archive).fingerprint()


def test_an_unknown_class_is_named_with_those_that_come_close(archive: Path) -> None:
    with pytest.raises(ClassNotFound, match=r"'bicicle'.*did you mean bicycle"):
        read_classes(archive, ("bicicle", "motorcycle"))
    with pytest.raises(ClassNotFound, match=r"it has apple, aquarium_fish"):
        read_classes(archive, ("zzzz", "motorcycle"))


def test_a_missing_archive_an_empty_folder_and_an_unreadable_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ArchiveNotFound, match=r"nowhere\.tar\.gz"):
        read_classes(tmp_path / "nowhere.tar.gz")
    with pytest.raises(ArchiveCorrupt, match="no train and no test and no meta"):
        read_classes(tmp_path)
    with pytest.raises(UnreadableArchive):
        read_classes(tmp_path / ("x" * 300))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_a_truncated_archive_is_corrupt(archive: Path, share: float) -> None:
    data = archive.read_bytes()
    archive.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ArchiveCorrupt, match="download it again"):
        read_classes(archive)


def test_a_flipped_bit_is_found_by_the_checksum_at_the_end(archive: Path) -> None:
    data = bytearray(archive.read_bytes())
    data[-6] ^= 1  # within gzip's own checksum and length
    archive.write_bytes(data)
    with pytest.raises(ArchiveCorrupt):
        read_classes(archive)


def test_what_is_no_archive_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "cifar.tar.gz"
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(ArchiveCorrupt, match="bad tar file"):
        read_classes(path)
    path.write_bytes(b"\x1f\x8b" + b"no gzip")
    with pytest.raises(ArchiveCorrupt, match="bad gzip data"):
        read_classes(path)
    path.write_bytes(b"PK\x03\x04" + b"no zip")
    with pytest.raises(ArchiveCorrupt, match="bad zip file"):
        read_classes(path)
    with pytest.raises(ArchiveCorrupt, match="bad tar file"):
        read_classes(gzip_of(path, b"not a tar file" * 100))


def test_an_archive_without_one_of_its_members_says_which(make_archive: MakeArchive) -> None:
    contents = members()
    del contents[f"{FOLDER}/test"]
    with pytest.raises(ArchiveCorrupt, match="it has no test"):
        read_classes(make_archive(contents))


class Exploit:
    """Pickles as a call of anything."""

    def __init__(self, call: Callable[..., object], *arguments: object) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call, self.arguments


def hostile(target: Path) -> dict[str, bytes]:
    """Return pickles that, were they executed, would make the file ``target``."""
    command = f"touch {target}"
    exploit = Exploit(os.system, command)
    return {
        "os.system in protocol 5": pickle.dumps(exploit, 5),
        "os.system in protocol 2": pickle.dumps(exploit, 2),
        "os.system in protocol 0": pickle.dumps(exploit, 0),
        "eval": pickle.dumps(Exploit(eval, f"open({str(target)!r}, 'w')"), 2),
        "nested in honest data": pickle.dumps({**split(4, 0), b"more": [{b"deep": (exploit,)}]}, 2),
        "as a label": pickle.dumps({**split(4, 0), b"fine_labels": [exploit] * 4}, 2),
        "an argument of an honest call": b"\x80\x02c_codecs\nencode\n" + pickle.dumps(exploit, 2)[2:-1] + b"\x85R.",
        "numpy's own eval": b"\x80\x02cnumpy.testing\nrundocs\n(X\x01\x00\x00\x00atR.",
        "an attribute by a dotted name": b"\x80\x04\x8c\x05numpy\x8c\x0bndarray.ctx\x93.",
        "an instance": b"\x80\x02(X\x02\x00\x00\x00idios\nsystem\n.",
        "a persistent id": b"\x80\x02X\x01\x00\x00\x00aQ.",
        "an extension": b"\x80\x02\x82\x01.",
        "a new object": b"\x80\x02cnumpy\nndarray\n)\x81.",
        "a state for a list": b"\x80\x02]}b.",
        "a call of a string": b"\x80\x02X\x01\x00\x00\x00a)R.",
        "an honest name called otherwise": b"\x80\x02cnumpy\nndarray\n(K\x05tR.",
    }


@pytest.mark.parametrize("trick", sorted(hostile(Path("x"))))
@pytest.mark.parametrize("member", ["meta", "train", "test"])
def test_a_hostile_pickle_is_refused_and_never_executed(tmp_path: Path, trick: str, member: str) -> None:
    target = tmp_path / "pwned"
    contents = members() | {f"{FOLDER}/{member}": hostile(target)[trick]}
    with pytest.raises(UnsafeArchive, match="do not trust"):
        read_classes(pack(tmp_path / "evil.tar.gz", contents))
    assert not target.exists()


@pytest.mark.parametrize("name", ["../train", "/etc/passwd", f"{FOLDER}/../../train", "a\\..\\train"])
def test_a_member_that_points_outside_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafeArchive, match="points outside"):
        read_classes(pack(tmp_path / "evil.tar.gz", members(), tarfile.TarInfo(name)))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_a_member_that_is_no_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo(f"{FOLDER}/train")
    info.type, info.linkname = kind, "/etc/passwd"
    with pytest.raises(UnsafeArchive, match="a link or a special file"):
        read_classes(pack(tmp_path / "evil.tar.gz", members(), info))


def test_absurd_sizes_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    info = tarfile.TarInfo(f"{FOLDER}/train")
    info.size = 10**12
    with pytest.raises(ArchiveTooLarge, match="1,000,000,000,000 bytes"):
        read_classes(gzip_of(tmp_path / "bomb.tar.gz", info.tobuf()))
    header = tarfile.TarInfo("header")
    header.type, header.size = tarfile.XHDTYPE, 10**9
    with pytest.raises(ArchiveTooLarge, match="a header of"):
        read_classes(gzip_of(tmp_path / "bomb.tar.gz", header.tobuf()))


def test_an_archive_of_very_many_members_is_refused(tmp_path: Path) -> None:
    many = [tarfile.TarInfo(f"{FOLDER}/{n}") for n in range(archive_members.MAX_MEMBERS + 1)]
    with pytest.raises(ArchiveTooLarge, match="more than 100 members"):
        read_classes(pack(tmp_path / "many.tar.gz", {}, *many))


def test_an_archive_that_inflates_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_members, "MAX_ARCHIVE_BYTES", 10 << 20)
    path = pack(tmp_path / "bomb.tar.gz", {"zeros": bytes(20 << 20)})
    with pytest.raises(ArchiveTooLarge, match="more than 10 MiB uncompressed"):
        read_classes(path)


@pytest.mark.parametrize(
    ("bomb", "error"),
    [
        (b"\x80\x02" + b"]" * 50_001, ArchiveCorrupt),
        (b"\x80\x02" + b"X\xff\xff\xff\x7f" + b"a" * 100_000, ArchiveCorrupt),
        (b"\x80\x02" + b"X\x00\xff\x00\x00" * 600 + b"a", ArchiveCorrupt),
    ],
    ids=["steps", "a string longer than the file", "strings"],
)
def test_a_pickle_that_wants_all_memory_is_refused(
    make_archive: MakeArchive, monkeypatch: pytest.MonkeyPatch, bomb: bytes, error: type[ArchiveError]
) -> None:
    monkeypatch.setattr(cifar_pickles, "_MAX_STEPS", 50_000)
    with pytest.raises(error):
        read_classes(make_archive(members() | {f"{FOLDER}/train": bomb}))


def spoilt(**changes: object) -> bytes:
    content = split(ROWS, 1)
    content.update({key.encode(): value for key, value in changes.items()})
    return pickle.dumps(content, 2)


@pytest.mark.parametrize(
    "train",
    [
        pickle.dumps([1, 2, 3], 2),
        pickle.dumps({}, 2),
        pickle.dumps("", 2),
        spoilt(fine_labels=[8]),
        spoilt(fine_labels=["8"] * ROWS),
        spoilt(fine_labels=None),
        spoilt(filenames=[None] * ROWS),
        spoilt(filenames=[b"a.png"]),
        spoilt(data=np.zeros((ROWS, 3071), np.uint8)),
        spoilt(data=np.zeros((ROWS - 1, 3072), np.uint8)),
        spoilt(data=np.zeros((ROWS * 2, 3072), np.uint8)),
        spoilt(data=np.zeros((ROWS, 3072), np.float32)),
        spoilt(data=np.asfortranarray(np.ones((ROWS, 3072), np.uint8))),
        spoilt(data=b"pixels"),
    ],
)
def test_a_split_of_another_layout_is_corrupt(make_archive: MakeArchive, train: bytes) -> None:
    with pytest.raises(ArchiveCorrupt, match="train"):
        read_classes(make_archive(members() | {f"{FOLDER}/train": train}))


@pytest.mark.parametrize("meta", [{}, {b"fine_label_names": "bicycle"}, {b"fine_label_names": [1]}, []])
def test_a_meta_without_names_is_corrupt(make_archive: MakeArchive, meta: object) -> None:
    with pytest.raises(ArchiveCorrupt, match="class names"):
        read_classes(make_archive(members() | {f"{FOLDER}/meta": pickle.dumps(meta, 2)}))


@pytest.mark.cifar
def test_the_real_archive_has_its_vehicles(real_archive: Path) -> None:
    images = read_classes(real_archive)
    train = [p for p in images if p.split == "train"]
    assert [sum(p.label == label for p in train) for label in (0, 1)] == [500, 500]
    assert {p.pixels.shape for p in images} == {(32, 32, 3)}
    assert images[0].name == "bike_s_000682.png"
