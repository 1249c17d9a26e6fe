"""Only settings modules read the environment."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("core", "scones", "emulation", "training", "monitoring", "orchestration", "review", "services")
# Next to every settings.py: where a container's or a library's interface is the environment.
ALLOWED = {
    "emulation/sagemaker/hosting/handler_server.py": "the interface of an inference script's container",
    "emulation/sagemaker/training/xgboost_program.py": "the interface of a training container",
    "monitoring/plots/__init__.py": "takes MPLBACKEND away before matplotlib reads it",
    "training/__init__.py": "sets what ONNX Runtime reads when it is imported",
    "training/sagemaker_sdk.py": "hides AWS_PROFILE from the SDK's import",
    "training/vehicle_net/train.py": "the training container's interface",
}


def reads_environment(source: str) -> bool:
    readers = {"environ", "environb", "getenv", "getenvb"}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in readers:
            return True
        if isinstance(node, ast.ImportFrom) and node.module == "os" and {each.name for each in node.names} & readers:
            return True
    return False


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (path for path in sorted((ROOT / package).rglob("*.py")) if "tests" not in path.parts)


def test_only_settings_read_the_environment() -> None:
    readers = {str(path.relative_to(ROOT)) for path in modules() if reads_environment(path.read_text("utf-8"))}
    assert {path for path in readers if not path.endswith("/settings.py")} <= set(ALLOWED)


@pytest.mark.parametrize(
    "source",
    ["import os\nos.environ['X']", "from os import getenv", "import os as o\ndef f():\n    return o.getenv('X')"],
)
def test_a_reader_is_found(source: str) -> None:
    assert reads_environment(source)
