"""manifest.json of a staged dataset: every file with its checksum, so that nothing is done twice."""

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from training.data.errors import NotStaged
from training.data.labelled_images import SPLITS

MANIFEST = "manifest.json"
_FORMAT = 1


@dataclass(frozen=True)
class File:
    """One staged file; an image also has its label, split and row in the source."""

    sha256: str
    size: int
    label: int | None = None
    split: str | None = None
    row: int | None = None


@dataclass(frozen=True)
class Manifest:
    """The content of a staged directory. ``files`` has paths relative to it, with forward slashes."""

    dataset: str
    classes: tuple[str, ...]
    source: str
    tool: str
    files: dict[str, File]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of images of each class in each split."""
        counter = Counter((file.split, file.label) for file in self.files.values())
        return {split: {name: counter[split, label] for label, name in enumerate(self.classes)} for split in SPLITS}

    def images(self, split: str) -> dict[str, File]:
        """Return the images of a split by their path."""
        return {path: file for path, file in self.files.items() if file.split == split}

    def matches(self, root: Path) -> bool:
        """Tell whether every file is in ``root`` with its checksum."""
        try:
            return all(
                hashlib.sha256((root / path).read_bytes()).hexdigest() == file.sha256
                for path, file in self.files.items()
            )
        except OSError:
            return False

    def to_json(self) -> str:
        """Return the text of manifest.json."""
        files = {path: {k: v for k, v in asdict(file).items() if v is not None} for path, file in self.files.items()}
        body = {"format": _FORMAT, "dataset": self.dataset, "classes": list(self.classes), "source": self.source,
                "tool": self.tool, "counts": self.counts(), "files": files}  # fmt: skip
        return json.dumps(body, indent=1) + "\n"


def parse_manifest(text: str | bytes) -> Manifest:
    """Read the text of a manifest.json. Raises ValueError."""
    body = json.loads(text)
    if type(body) is not dict or body.get("format") != _FORMAT:
        raise ValueError("not a manifest of this version")
    try:
        files = {_checked_path(path): _file(entry) for path, entry in body["files"].items()}
        return Manifest(
            str(body["dataset"]), tuple(map(str, body["classes"])), str(body["source"]), str(body["tool"]), files
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a manifest without a valid {error}") from error


def read_manifest(root: Path) -> Manifest:
    """Read the manifest of the staged directory ``root``. Raises NotStaged."""
    try:
        return parse_manifest((root / MANIFEST).read_bytes())
    except OSError as error:
        raise NotStaged(root, error.strerror or str(error)) from None
    except (ValueError, RecursionError) as error:
        raise NotStaged(root, f"{MANIFEST}: {error}") from None


def _checked_path(path: str) -> str:
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or "\\" in path:
        raise ValueError(f"a manifest with a file outside of its directory: {path[:80]!r}")
    return path


def _file(entry: dict[str, Any]) -> File:
    return File(str(entry["sha256"]), int(entry["size"]), entry.get("label"), entry.get("split"), entry.get("row"))
