"""Images that show neither class: rendered cars and scenes, and staged images of other classes."""

from pathlib import Path

from scones.staged_datasets import LabelledFile
from training.data.staging import StagedDataset
from training.data.synthetic import Kind, render_png

_RENDERED: dict[str, Kind] = {"rendered cars": "car", "rendered scenes": "scene"}
_OTHER_CLASSES = "other classes, test split"
_FIRST_SEED = 70_000_001
"""No training uses these seeds."""
_SIDE = 128


def render_one(kind: Kind, number: int) -> bytes:
    """Return a rendered image of this kind as PNG, the same for the same number."""
    return render_png(kind, _FIRST_SEED + number, _SIDE)


def write_images(folder: Path, staged: StagedDataset, count: int) -> dict[str, list[LabelledFile]]:
    """Write ``count`` images of each rendered kind to ``folder``; return them, and staged ones if there are any."""
    images: dict[str, list[LabelledFile]] = {}
    for name, kind in _RENDERED.items():
        images[name] = []
        for number in range(count):
            path = folder / f"{kind}-{number}.png"
            path.write_bytes(render_one(kind, number))
            images[name].append(LabelledFile(path, None))
    others = [LabelledFile(staged.path / path, None) for path in sorted(staged.manifest.images("other_test"))]
    step = max(1, len(others) // count)
    return images | ({_OTHER_CLASSES: others[::step][:count]} if others else {})
