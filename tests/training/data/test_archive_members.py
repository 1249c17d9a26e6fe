"""One dataset, however it is packed."""

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training.data.cifar_archives import FOLDER, members, pack
from training.data.archive_members import read_members
from training.data.cifar_archive import CifarSource, read_classes
from training.data.errors import ArchiveCorrupt, ArchiveTooLarge, UnsafeArchive

CONTENTS = members()
PLAIN = {name.rpartition("/")[2]: content for name, content in CONTENTS.items()}


def write_tar(path: Path) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in CONTENTS.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def write_zip(path: Path, contents: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def write_folder(path: Path, contents: dict[str, bytes]) -> Path:
    for name, content in contents.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


FORMS: dict[str, Callable[[Path], Path]] = {
    "the official .tar.gz": lambda path: pack(path / "cifar.tar.gz", CONTENTS),
    "a .tar.gz with another name": lambda path: pack(path / "cifar.bin", CONTENTS),
    "the .tar in it": lambda path: write_tar(path / "cifar.tar"),
    "Kaggle's .zip": lambda path: write_zip(path / "archive.zip", {**PLAIN, "file.txt~": b""}),
    "a .zip of the folder": lambda path: write_zip(path / "archive.zip", CONTENTS, zipfile.ZIP_STORED),
    "the folder itself": lambda path: write_folder(path / "cifar-100-python", PLAIN),
    "the folder above it": lambda path: write_folder(path / "unpacked", CONTENTS),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_images_are_read_from_every_form(tmp_path: Path, archive: Path, form: str) -> None:
    (tmp_path / "form").mkdir()
    path = FORMS[form](tmp_path / "form")
    images, expected = read_classes(path), read_classes(archive)
    assert [image[:4] for image in images] == [image[:4] for image in expected]
    assert all((a.pixels == b.pixels).all() for a, b in zip(images, expected, strict=True))
    assert CifarSource(path).fingerprint().startswith("sha256:")


def test_the_fingerprint_of_a_folder_follows_its_files(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "cifar-100-python", PLAIN)
    before = CifarSource(folder).fingerprint()
    assert CifarSource(folder).fingerprint() == before
    (folder / "test").write_bytes(PLAIN["test"] + b" ")
    assert CifarSource(folder).fingerprint() != before


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "two.zip", {**PLAIN, f"{FOLDER}/train": b""})
    with pytest.raises(ArchiveCorrupt, match="it has two files train"):
        list(read_members(path))


def test_a_folder_with_other_files_is_not_taken_for_the_dataset(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ArchiveCorrupt, match="it has no train and no test and no meta"):
        read_classes(tmp_path)


@pytest.mark.parametrize("name", ["../train", "/train", "a\\train", f"{FOLDER}/../../train"])
def test_a_zip_member_that_points_outside_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafeArchive, match="points outside"):
        list(read_members(write_zip(tmp_path / "evil.zip", {name: b"x", **PLAIN})))


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "link.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("train")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UnsafeArchive, match="a link or a special file"):
        list(read_members(path))


def test_a_zip_that_announces_too_much_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "bomb.zip", {"train": bytes(300 << 20)})
    with pytest.raises(ArchiveTooLarge, match="314,572,800 bytes"):
        list(read_members(path))
    many = {f"{number}": b"" for number in range(101)}
    with pytest.raises(ArchiveTooLarge, match="more than 100 members"):
        list(read_members(write_zip(tmp_path / "many.zip", many)))


def test_damage_in_a_zip_is_found_by_its_checksum(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "damaged.zip", PLAIN, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    position = content.find(PLAIN["train"]) + len(PLAIN["train"]) // 2
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArchiveCorrupt, match="Bad CRC-32"):
        read_classes(path)


def test_an_encrypted_zip_is_named_for_what_it_is(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "secret.zip", PLAIN)
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = -1
        while (position := content.find(signature, position + 1)) >= 0:
            content[position + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(ArchiveCorrupt, match="encrypted"):
        read_classes(path)
