"""Writes the states of one image into the batch machine: ``python -m orchestration.generate_definitions``.

``classify_image.asl.json`` is written by hand, and so is ``classify_batch.asl.json`` but for the item processors of its
two Map states, which run the same states. They repeat them in full, because Amazon States Language has no include, and
the second under other names, because no two states of one machine may share a name
(https://states-language.net/spec.html#states). A test fails where the file is not what this module writes.
"""

import json
from pathlib import Path
from typing import Any

from core.files import write_atomically

CLASSIFY_IMAGE = Path(__file__).with_name("classify_image.asl.json")
CLASSIFY_BATCH = Path(__file__).with_name("classify_batch.asl.json")
_SUFFIXES = {"ClassifyPrefix": "", "ClassifyManifest": "OfManifest"}
_REFERENCES = frozenset({"StartAt", "Next", "Default"})
_REVIEW = {
    "Type": "Pass",
    "Comment": "An image for review does not fail the batch: only failures count towards the tolerated percentage.",
    "Parameters": {
        "s3_bucket.$": "$.s3_bucket",
        "s3_key.$": "$.s3_key",
        "inferences.$": "$.inferences",
        "error.$": "$.error.Error",
        "cause.$": "$.error.Cause",
    },
    "End": True,
}


def generate(classify_image: dict[str, Any], classify_batch: dict[str, Any]) -> dict[str, Any]:
    """Return the batch machine with its item processors generated from the states of one image."""
    states = dict(classify_batch["States"])
    for name, suffix in _SUFFIXES.items():
        states[name] = states[name] | {"ItemProcessor": _item_processor(classify_image, suffix)}
    return classify_batch | {"States": states}


def text(definition: dict[str, Any]) -> str:
    """Return a definition as it is written to its file."""
    return json.dumps(definition, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Rewrite ``classify_batch.asl.json``."""
    image, batch = (json.loads(path.read_text("utf-8")) for path in (CLASSIFY_IMAGE, CLASSIFY_BATCH))
    write_atomically(CLASSIFY_BATCH, text(generate(image, batch)))


def _item_processor(classify_image: dict[str, Any], suffix: str) -> dict[str, Any]:
    states = classify_image["States"] | {"ConfidenceBelowThreshold": _REVIEW}
    return {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "${ItemExecutionType}"},
        "StartAt": classify_image["StartAt"] + suffix,
        "States": {name + suffix: _with_suffix(state, suffix) for name, state in states.items()},
    }


def _with_suffix(node: Any, suffix: str) -> Any:
    """Return a part of a state in which every reference to another state ends with ``suffix``."""
    if isinstance(node, list):
        return [_with_suffix(item, suffix) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: value + suffix if key in _REFERENCES and isinstance(value, str) else _with_suffix(value, suffix)
        for key, value in node.items()
    }


if __name__ == "__main__":
    main()
