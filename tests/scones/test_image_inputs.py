"""Whatever a folder, a list or a prefix names is an image or skipped with a reason; nothing is forgotten."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.s3_uris import S3Uri
from orchestration.executions import S3Image
from scones.errors import ImagesMissing, UnusableInput
from scones.image_inputs import (
    LocalImage,
    SkippedInput,
    classify_key,
    collect,
    list_objects,
    upload_folder,
    walk,
)
from tests import fake_aws
from tests.scones.fakes import S3

PNG = b"\x89PNG\r\n\x1a\nrest"
JPEG = b"\xff\xd8\xff\xe0rest"
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heic"


def folder_of(tmp_path: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "photos"


def outcome(folder: Path) -> dict[str, str]:
    """Each entry by its path in the folder: "image", or why it is skipped."""
    result = {}
    for entry in walk(folder):
        name = str(Path(entry.name).relative_to(folder))
        assert name not in result
        result[name] = entry.reason if isinstance(entry, SkippedInput) else "image"
    return result


def collected(sources: list[str], fake: S3 | None = None) -> Any:
    s3 = fake_aws.client("s3", fake or S3())
    return collect(s3, "own", "run", sources, lambda _done, _total: None)


def test_content_decides_what_an_image_is(tmp_path: Path) -> None:
    files = {"edge.jfif": JPEG, "no-suffix": PNG, "phone.HEIC": HEIC, "renamed.txt": PNG, "notes.txt": b"text"}
    files |= {"data.bin": b"", "page.html": b"<img>", "deep/er/c.webp": b"RIFF\x08\0\0\0WEBPVP8 "}
    assert outcome(folder_of(tmp_path, files)) == {
        "edge.jfif": "image",
        "no-suffix": "image",
        "phone.HEIC": "image",
        "renamed.txt": "image",
        "deep/er/c.webp": "image",
        "notes.txt": "not an image",
        "data.bin": "not an image",
        "page.html": "not an image",
    }


def test_a_damaged_file_that_is_named_as_an_image_is_sent_and_fails(tmp_path: Path) -> None:
    assert outcome(folder_of(tmp_path, {"cut.JPG": b"", "text.png": b"text"})) == {
        "cut.JPG": "image",
        "text.png": "image",
    }


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    files = {".DS_Store": b"x", "._a.jpg": JPEG, ".git/a.png": PNG, "a.png": PNG}
    assert outcome(folder_of(tmp_path, files)) == {
        ".DS_Store": "hidden", "._a.jpg": "hidden", ".git": "hidden", "a.png": "image"
    }  # fmt: skip


def test_linked_folders_are_followed_once_and_loops_end(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"day/a.png": PNG})
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "b.png").write_bytes(PNG)
    (folder / "linked").symlink_to(other)
    (folder / "linked-too").symlink_to(other)
    (folder / "loop").symlink_to(folder)
    (folder / "link.png").symlink_to(other / "b.png")
    (folder / "nowhere").symlink_to(tmp_path / "nothing")
    assert outcome(folder) == {
        "day/a.png": "image",
        "linked/b.png": "image",
        "linked-too": "a folder that is included already",
        "loop": "a folder that is included already",
        "link.png": "image",
        "nowhere": "cannot be read: No such file or directory",
    }


def test_what_is_no_regular_file_is_left_out_and_not_opened(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"a.png": PNG})
    os.mkfifo(folder / "pipe.png")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(folder / "socket"))
        assert outcome(folder) == {
            "a.png": "image", "pipe.png": "not a regular file", "socket": "not a regular file"
        }  # fmt: skip


def test_names_that_are_not_utf8_are_images_under_keys_that_are(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"a.png": PNG})
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.jpg")).write_bytes(JPEG)
    inputs = collected([str(folder)])
    assert [image.s3_key.rpartition("/")[2] for image in inputs.images] == ["a.png", r"caf\xe9.jpg"]


def test_control_characters_are_not_in_keys_and_no_two_files_have_one_key(tmp_path: Path) -> None:
    names = ["a\x1b[31mb.jpg", r"a\x1b[31mb.jpg", "a\n.jpg", "a\ufffe.jpg", r"a\b é 🚲.jpg"]
    folder, s3 = folder_of(tmp_path, dict.fromkeys(names, JPEG)), S3()
    assert {image.s3_key.rpartition("/")[2] for image in collected([str(folder)]).images} == {
        r"a\x1b[31mb.jpg", r"a\x5cx1b[31mb.jpg", r"a\x0a.jpg", r"a\xef\xbf\xbe.jpg", r"a\b é 🚲.jpg"
    }  # fmt: skip
    assert upload_folder(fake_aws.client("s3", s3), "b", "in/", folder, lambda _count: None) == len(s3.objects) == 5


def test_files_of_one_name_are_told_apart_by_what_the_user_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"day1/same.jpg": JPEG, "day2/same.jpg": JPEG})
    inputs = collected([str(folder / "day1" / "same.jpg"), str(folder / "day2")])
    assert len(set(inputs.images)) == 2
    assert [inputs.names[image] for image in inputs.images] == [
        str(folder / "day1" / "same.jpg"), str(folder / "day2" / "same.jpg")
    ]  # fmt: skip


def test_a_file_that_is_named_is_sent_whatever_it_is(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"notes.txt": b"text"})
    assert len(collected([str(folder / "notes.txt")]).images) == 1


def test_a_file_that_is_named_twice_is_classified_once_and_said_so(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"a.png": PNG})
    inputs = collected([str(folder / "a.png"), str(folder), "s3://b/k.png", "s3://b/k.png"])
    assert len(inputs.images) == 2
    assert [entry.reason for entry in inputs.skipped] == ["duplicate", "duplicate"]


@pytest.mark.parametrize("source", ["", " ", "nowhere.png"])
def test_nothing_is_uploaded_where_one_source_cannot_be_used(source: str, tmp_path: Path) -> None:
    folder, s3 = folder_of(tmp_path, {"a.png": PNG}), S3()
    with pytest.raises(UnusableInput):
        collected([str(folder), source], s3)
    assert s3.objects == {}


def test_a_named_file_that_is_no_regular_one_is_refused_by_its_name_and_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(UnusableInput, match=r"pipe\.jpg: not a regular file: save"):
        collected([str(tmp_path / "pipe.jpg")])


def test_an_empty_name_is_refused_as_one() -> None:
    with pytest.raises(UnusableInput, match="an empty name"):
        collected([""])


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ImagesMissing):
        collected([str(folder_of(tmp_path, {"notes.txt": b"text"}))])


def test_a_prefix_is_listed_and_its_placeholders_left_out() -> None:
    names = ["b/in/", "b/in/a.png", "b/in/.DS_Store", "b/in/day1/", "b/in/day1/b", "b/other.png"]
    s3 = fake_aws.client("s3", S3(**dict.fromkeys(names, b"")))
    result = list(list_objects(s3, S3Uri("b", "in/")))
    assert [entry.reason if isinstance(entry, SkippedInput) else entry.s3_key for entry in result] == [
        "folder placeholder", "hidden", "in/a.png", "folder placeholder", "in/day1/b"
    ]  # fmt: skip
    assert list(list_objects(s3, S3Uri("b", "in"))) == [S3Image("b", "in")]


@given(st.text(max_size=20))
def test_every_key_is_an_image_or_left_out(key: str) -> None:
    entry = classify_key("b", key)
    assert isinstance(entry, SkippedInput) == (not key.rpartition("/")[2] or key.rpartition("/")[2].startswith("."))


def test_every_file_of_a_deep_folder_is_accounted_for(tmp_path: Path) -> None:
    files = {
        f"{n % 7}/{n % 3}/{n}{('.png', '.txt', '', '.jpg')[n % 4]}": (PNG, b"x", JPEG, b"")[n % 4] for n in range(200)
    }
    entries = list(walk(folder_of(tmp_path, files)))
    assert len({entry.name for entry in entries}) == len(files)
    assert sum(isinstance(entry, LocalImage) for entry in entries) == 150
