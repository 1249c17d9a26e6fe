"""Captures that were downloaded to a folder."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class _Body:
    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> bytes:
        return self._path.read_bytes()

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while chunk := file.read(size):
                yield chunk


class CaptureFolder:
    """A folder in the form of an S3 client, as far as CaptureReader uses one; keys are relative paths."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def get_paginator(self, _operation: str) -> "CaptureFolder":
        """Return the paginator of list_objects_v2, which this is itself."""
        return self

    def paginate(self, **_parameters: Any) -> Iterator[dict[str, Any]]:
        """Yield one page a folder, in the order of their names. Links to folders are not followed."""
        for folder, names, files in os.walk(self._root):
            names.sort()
            paths = [Path(folder, name) for name in sorted(files)]
            contents = [
                {"Key": path.relative_to(self._root).as_posix(), "Size": path.stat().st_size}
                for path in paths
                if path.is_file()
            ]
            if contents:
                yield {"Contents": contents}

    def get_object(self, **parameters: Any) -> dict[str, Any]:
        """Return a file's content."""
        return {"Body": _Body(self._root / parameters["Key"])}
