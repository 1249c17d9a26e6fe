"""model.json: what belongs to model.onnx but is not in the graph."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from training.serving.model import Preprocessing

FORMAT = 1


@dataclass(frozen=True)
class Provenance:
    """The provenance of the model."""

    recipe: Mapping[str, object]
    images: Mapping[str, object]
    versions: Mapping[str, str]


def write(
    path: Path,
    labels: Sequence[str],
    spec: Preprocessing,
    calibration: Mapping[str, object],
    metrics: Mapping[str, object],
    provenance: Provenance,
) -> None:
    """Write model.json."""
    content = {
        "format": FORMAT,
        "labels": list(labels),
        "preprocessing": spec.to_dict(),
        "calibration": calibration,
        "metrics": metrics,
        "provenance": asdict(provenance),
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
