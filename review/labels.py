"""The labels that people give: read from KEY=LABEL lines, and matched with the images in the review queue."""

from collections.abc import Collection, Iterable, Mapping

from core.labels import Labels
from core.s3_uris import S3Uri
from review.errors import AmbiguousImage, ImageNotInReview, InvalidLabel

NEITHER = "neither"
"""The label of an image that shows neither class: it only leaves the queue."""


def parse_label_lines(lines: Iterable[str], labels: Labels) -> dict[str, str]:
    """Return the label by key; a later line wins. Raises InvalidLabel."""
    known = (*labels, NEITHER)
    by_key = {}
    for line in filter(str.strip, lines):
        key, separator, name = line.strip().rpartition("=")
        if not (separator and key and name in known):
            raise InvalidLabel(line.strip(), known)
        by_key[key] = name
    return by_key


def match_images(labels: Mapping[str, str], images: Collection[S3Uri]) -> dict[S3Uri, str]:
    """Return the label of each image that is named by its key or its URI. Raises ImageNotInReview or AmbiguousImage."""
    by_name: dict[str, list[S3Uri]] = {}
    for image in images:
        by_name.setdefault(image.key, []).append(image)
        by_name.setdefault(str(image), []).append(image)
    missing = [name for name in labels if name not in by_name]
    if missing:
        raise ImageNotInReview(missing)
    for name in labels:
        if len(by_name[name]) > 1:
            raise AmbiguousImage(name, [str(image) for image in by_name[name]])
    return {by_name[name][0]: label for name, label in labels.items()}
