"""The manifest of reviewed images: JSON lines in S3, one for each image, written only if nobody else has changed it.

A line is one of SageMaker's augmented manifests
(https://docs.aws.amazon.com/sagemaker/latest/dg/augmented-manifest.html). ``neither`` has no class number.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from core.aws_errors import error_code
from core.s3_uris import S3Uri
from review.labelled_dataset import CONFLICTS, PREFIX

KEY = f"{PREFIX}/manifest.jsonl"
_MISSING = frozenset({"NoSuchKey", "404"})
_UNCHANGED = frozenset({"304", "NotModified"})


@dataclass(frozen=True)
class Decision:
    """A decision: ``label`` is the class's number, None for neither; ``file`` is its copy in the training channel."""

    uri: S3Uri
    execution: str
    name: str
    label: int | None
    file: str | None
    time: str

    def line(self) -> str:
        """Return the line of the manifest, without its end. JSON escapes whatever a key may hold."""
        metadata = {
            "class-name": self.name, "human-annotated": "yes", "creation-date": self.time,
            "type": "groundtruth/image-classification", "job-name": "scones-review", "execution": self.execution,
            "file": self.file,
        }  # fmt: skip
        return json.dumps({"source-ref": str(self.uri), "label": self.label, "label-metadata": metadata})

    @classmethod
    def parse(cls, line: str) -> "Decision":
        """Read a line that :meth:`line` has written."""
        content = json.loads(line)
        metadata = content["label-metadata"]
        return cls(
            S3Uri.parse(content["source-ref"]), metadata["execution"], metadata["class-name"], content["label"],
            metadata["file"], metadata["creation-date"],
        )  # fmt: skip


Images = dict[S3Uri, Decision]


class ReviewManifest:
    """The manifest in ``bucket``. Several servers may write it at the same time; each keeps what others wrote."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket
        self._lock = threading.Lock()
        self._images: Images = {}
        self._etag: str | None = None

    def find(self, uri: S3Uri, execution: str, sent: float) -> Decision | None:
        """Return the decision about a message: one about its execution, or one made after it was ``sent``."""
        with self._lock:
            self._refresh()
            image = self._images.get(uri)
        if image is None:
            return None
        is_later = datetime.fromisoformat(image.time).timestamp() > sent
        return image if image.execution == execution or is_later else None

    def counts(self) -> Counter[str]:
        """Return how many images have each label."""
        with self._lock:
            self._refresh()
            return Counter(image.name for image in self._images.values())

    def has_file(self, file: str) -> bool:
        """Tell whether a decision counts on a copy in the training channel."""
        with self._lock:
            return any(image.file == file for image in self._images.values())

    def record(self, decisions: Iterable[Decision]) -> list[Decision]:
        """Write decisions, and return those that count: for each image the first one about the same execution."""
        new = {decision.uri: decision for decision in decisions}

        def add(images: Images) -> None:
            for uri, decision in new.items():
                if uri not in images or images[uri].execution != decision.execution:
                    images[uri] = decision

        images = self._write(add)
        return [images[uri] for uri in new]

    def remove(self, uri: S3Uri, execution: str) -> Decision | None:
        """Take a decision back, and return it, or None if there is none."""
        removed: list[Decision] = []

        def take(images: Images) -> None:
            removed.clear()
            if uri in images and images[uri].execution == execution:
                removed.append(images.pop(uri))

        self._write(take)
        return removed[0] if removed else None

    def _write(self, change: Callable[[Images], None]) -> Images:
        """Change the manifest, again and again until nobody else has changed it in between."""
        with self._lock:
            while True:
                images = dict(self._images)
                change(images)
                if images == self._images:
                    self._refresh()
                    images = dict(self._images)
                    change(images)
                    if images == self._images:
                        return images
                if self._put(images):
                    return images
                self._refresh()

    def _put(self, images: Images) -> bool:
        body = "".join(f"{image.line()}\n" for image in images.values()).encode()
        condition = {"IfMatch": self._etag} if self._etag else {"IfNoneMatch": "*"}
        try:
            response = self._s3.put_object(
                Bucket=self._bucket, Key=KEY, Body=body, ContentType="application/jsonlines", **condition
            )
        except ClientError as error:
            if error_code(error) in CONFLICTS | _MISSING:
                return False
            raise
        self._images, self._etag = images, response["ETag"]
        return True

    def _refresh(self) -> None:
        """Read the manifest where it has changed."""
        condition = {"IfNoneMatch": self._etag} if self._etag else {}
        try:
            response = self._s3.get_object(Bucket=self._bucket, Key=KEY, **condition)
        except ClientError as error:
            if error_code(error) in _UNCHANGED:
                return
            if error_code(error) not in _MISSING:
                raise
            self._images, self._etag = {}, None
            return
        lines = response["Body"].read().decode().split("\n")
        parsed = [Decision.parse(line) for line in lines if line]
        self._images, self._etag = {image.uri: image for image in parsed}, response["ETag"]
