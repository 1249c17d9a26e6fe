"""Writes pictures as PNG files with .lst files and a manifest: all of them, or nothing."""

import hashlib
import io
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from core.lst_files import Entry, format_lst
from training.data.dataset_manifest import MANIFEST, File, Manifest, read_manifest
from training.data.directory_lock import alone
from training.data.errors import DestinationOccupied, NotStaged, writing
from training.data.labelled_images import SPLITS, Picture, Source, Split

Progress = Callable[[int, int], None]

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 100
_AT_ONCE = 64  # pictures that are encoded before the disk gets them
_BLOCK = 4000  # bytes of pixels that fit, as a file, in 4 KiB


class Staged(NamedTuple):
    """A staged directory, and whether this call made it or found it complete."""

    path: Path
    manifest: Manifest
    made: bool


def stage(source: Source, out: Path, progress: Progress | None = None, tool: str = "scones") -> Staged:
    """Write the pictures of ``source`` to the directory ``out``, unless they are there already.

    ``out`` gets ``train/*.png``, ``test/*.png``, ``train.lst``, ``test.lst`` and ``manifest.json``. It appears, or is
    replaced, only when complete; an earlier call that was killed leaves nothing that this one does not clean up.
    ``progress`` gets pictures done and pictures in all; ``tool`` is noted in the manifest as the maker of it all.
    Raises a DataError; DestinationOccupied where ``out`` holds what no staging made.
    """
    out = out.absolute()
    with writing(out.parent):
        out.parent.mkdir(parents=True, exist_ok=True)
    with alone(out.parent):
        _clean(out)
        found = _found(out)
        fingerprint = source.fingerprint()
        if found and found.source == fingerprint and found.intact(out):
            return Staged(out, found, made=False)
        with _workplace(out) as place:
            manifest = Manifest(source.dataset, source.classes, fingerprint, tool, _write(source, place, progress))
            _put(place / MANIFEST, manifest.to_json().encode())
            _swap(place, out)
    return Staged(out, manifest, made=True)


def _workplace_prefix(out: Path) -> str:
    return f".{out.name}.staging-"


def _clean(out: Path) -> None:
    """Remove what a killed staging of ``out`` left beside it, once what it had moved aside is back."""
    with writing(out):
        for leftover in [path for path in out.parent.iterdir() if path.name.startswith(_workplace_prefix(out))]:
            if (leftover / "old").exists() and not out.exists():
                (leftover / "old").rename(out)
            shutil.rmtree(leftover, ignore_errors=True)


def _found(out: Path) -> Manifest | None:
    """Return the manifest of what is staged at ``out``; raise rather than replace anything else that is there."""
    if not out.exists():
        return None
    try:
        return read_manifest(out)
    except NotStaged:
        if out.is_dir() and not any(out.iterdir()):
            return None
        raise DestinationOccupied(out) from None


@contextmanager
def _workplace(out: Path) -> Iterator[Path]:
    """Give a directory beside ``out``, on the same disk, and leave nothing of it."""
    with writing(out.parent):
        holder = Path(tempfile.mkdtemp(prefix=_workplace_prefix(out), dir=out.parent))
    try:
        yield holder / "new"
    finally:
        shutil.rmtree(holder, ignore_errors=True)


def _swap(place: Path, out: Path) -> None:
    """Put ``place`` where ``out`` is; put the old one back if that fails."""
    old = place.with_name("old")
    with writing(out):
        if out.exists():
            out.rename(old)
        try:
            place.rename(out)
        except OSError:
            with suppress(OSError):
                old.rename(out)
            raise


def _write(source: Source, place: Path, progress: Progress | None) -> dict[str, File]:
    """Write pictures and lists, and return what the manifest says of them."""
    total, pictures = source.pictures()
    with writing(place):
        for split in SPLITS:
            (place / split).mkdir(parents=True)
    names = {split: _Names() for split in SPLITS}
    entries: dict[Split, list[Entry]] = {split: [] for split in SPLITS}
    files: dict[str, File] = {}
    with ThreadPoolExecutor(1, "staging") as disk:  # creates files while the next pictures are encoded
        before: Future[None] | None = None
        while some := list(islice(pictures, _AT_ONCE)):
            contents = {}
            for picture in some:
                name = names[picture.split].safe(picture)
                path, data = f"{picture.split}/{name}", png(picture)
                contents[place / path] = data
                files[path] = File(_digest(data), len(data), *_about(picture))
                entries[picture.split].append(Entry(picture.row, picture.label, name))
                if progress:
                    progress(len(files), total)
            if before:
                before.result()
            before = disk.submit(_put_all, contents)
        if before:
            before.result()
    for split in SPLITS:
        data = format_lst(entries[split]).encode()
        _put(place / f"{split}.lst", data)
        files[f"{split}.lst"] = File(_digest(data), len(data))
    return files


def _put_all(contents: dict[Path, bytes]) -> None:
    for path, data in contents.items():
        _put(path, data)


def _put(path: Path, data: bytes) -> None:
    with writing(path):
        path.write_bytes(data)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _about(picture: Picture) -> tuple[int, str, int]:
    return picture.label, picture.split, picture.row


def png(picture: Picture) -> bytes:
    """Return the picture as an RGB PNG, the same bytes for the same pixels.

    A disk gives a thumbnail of CIFAR's size one block whether it is compressed or not, and compressing takes longer
    than all else; a higher level than 1 saves nothing even of larger pictures.
    """
    buffer = io.BytesIO()
    level = 0 if picture.pixels.nbytes < _BLOCK else 1
    Image.fromarray(picture.pixels).save(buffer, "PNG", compress_level=level)
    return buffer.getvalue()


class _Names:
    """Makes file names of names that are not to be trusted, each of them once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def safe(self, picture: Picture) -> str:
        last = picture.name.replace("\\", "/").rsplit("/", 1)[-1]
        stem = _UNSAFE.sub("_", last).strip("._-").removesuffix(".png")[:_LONGEST].strip("._-") or "picture"
        name = f"{stem}.png"
        if name.lower() in self._taken:
            name = f"{stem}-{picture.row}.png"
        while name.lower() in self._taken:
            name = f"{stem}-{picture.row}-{len(self._taken)}.png"
        self._taken.add(name.lower())
        return name
