"""manifest.json: what was staged, file by file, so that nothing need be done twice."""

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
    """One staged file; pictures also have their label, split and row in the source."""

    sha256: str
    size: int
    label: int | None = None
    split: str | None = None
    row: int | None = None


@dataclass(frozen=True)
class Manifest:
    """What a staged directory holds. ``files`` has paths relative to it, with forward slashes."""

    dataset: str
    classes: tuple[str, ...]
    source: str
    tool: str
    files: dict[str, File]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many pictures each class has in each split."""
        found = Counter((file.split, file.label) for file in self.files.values())
        return {split: {name: found[split, label] for label, name in enumerate(self.classes)} for split in SPLITS}

    def pictures(self, split: str) -> dict[str, File]:
        """Return the pictures of a split by their path."""
        return {path: file for path, file in self.files.items() if file.split == split}

    def intact(self, root: Path) -> bool:
        """Return whether every file is there with the content it was staged with."""
        try:
            return all(
                hashlib.sha256((root / path).read_bytes()).hexdigest() == file.sha256
                for path, file in self.files.items()
            )
        except OSError:
            return False

    def to_json(self) -> str:
        """Return the manifest as the text of its file."""
        files = {path: {k: v for k, v in asdict(file).items() if v is not None} for path, file in self.files.items()}
        body = {"format": _FORMAT, "dataset": self.dataset, "classes": list(self.classes), "source": self.source,
                "tool": self.tool, "counts": self.counts(), "files": files}  # fmt: skip
        return json.dumps(body, indent=1) + "\n"


def parse_manifest(text: str | bytes) -> Manifest:
    """Return the manifest that ``text`` is. Raises ValueError where it is none."""
    body = json.loads(text)
    if type(body) is not dict or body.get("format") != _FORMAT:
        raise ValueError("not a manifest of this version")
    try:
        files = {_inside(path): _file(file) for path, file in body["files"].items()}
        return Manifest(
            str(body["dataset"]), tuple(map(str, body["classes"])), str(body["source"]), str(body["tool"]), files
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a manifest without a proper {error}") from error


def read_manifest(root: Path) -> Manifest:
    """Return the manifest of the staged directory ``root``. Raises NotStaged."""
    try:
        return parse_manifest((root / MANIFEST).read_bytes())
    except OSError as error:
        raise NotStaged(root, error.strerror or str(error)) from None
    except (ValueError, RecursionError) as error:
        raise NotStaged(root, f"{MANIFEST}: {error}") from None


def _inside(path: str) -> str:
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or "\\" in path:
        raise ValueError(f"a manifest with a file outside of its directory: {path[:80]!r}")
    return path


def _file(entry: dict[str, Any]) -> File:
    return File(str(entry["sha256"]), int(entry["size"]), entry.get("label"), entry.get("split"), entry.get("row"))
