"""No file that git keeps holds a secret; what merely looks like one is listed here with what it is."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCAL_KEYS = {"test", "x", "local", "scones", "bench"}  # what an emulator takes for a key
HARMLESS = {
    ("training/data/cifar_download.py", "Hex High Entropy String"): "the archive's published MD5",
    ("training/vehicle_net/shipped/baseline.json", "Hex High Entropy String"): "its network's digest",
    ("training/vehicle_net/shipped/baseline-synthetic.json", "Hex High Entropy String"): "the same",
    ("training/vehicle_net/shipped/model.json", "Hex High Entropy String"): "the digest of the data",
}


def kept() -> list[str]:
    """Every file that git keeps or would keep, tests, locks and drawings apart: theirs are words and digests."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout, or there is no git")
    paths = [Path(name) for name in found.stdout.splitlines()]
    wanted = [path for path in paths if "tests" not in path.parts and path.suffix not in {".txt", ".svg", ".onnx"}]
    return [path.as_posix() for path in wanted if (ROOT / path).is_file()]


def secrets(names: list[str], root: Path) -> set[tuple[str, str]]:
    from detect_secrets import SecretsCollection  # noqa: PLC0415 - other environments collect this file and have it not
    from detect_secrets.settings import default_settings  # noqa: PLC0415

    collection = SecretsCollection(root=str(root))
    with default_settings():
        collection.scan_files(*names)
    return {(name, secret.type) for name, secret in collection if secret.secret_value not in LOCAL_KEYS}


def test_no_file_holds_a_secret() -> None:
    assert secrets(kept(), ROOT) - set(HARMLESS) == set()


def test_a_secret_would_be_found(tmp_path: Path) -> None:
    key = "AKIA" + "QWERTYUIOPASDFGH"
    (tmp_path / "settings.py").write_text(f'aws_access_key_id = "{key}"\n')
    assert secrets(["settings.py"], tmp_path) == {("settings.py", "AWS Access Key")}
