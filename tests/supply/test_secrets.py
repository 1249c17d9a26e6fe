"""No committed file has a secret. Strings that only look like one are listed with their meaning."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCAL_KEYS = {"test", "x", "local", "scones", "bench"}  # access keys of the emulators
HARMLESS = {
    ("training/data/cifar_download.py", "Hex High Entropy String"): "the archive's published MD5",
    ("training/vehicle_net/shipped/baseline.json", "Hex High Entropy String"): "its network's digest",
    ("training/vehicle_net/shipped/baseline-synthetic.json", "Hex High Entropy String"): "the same",
    ("training/vehicle_net/shipped/model.json", "Hex High Entropy String"): "the digest of the data",
}


def committed_files() -> list[str]:
    """Every file that is or would be committed, except tests, lock files and drawings, which have digests."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout, or git is not installed")
    paths = [Path(name) for name in listing.stdout.splitlines()]
    scanned = [path for path in paths if "tests" not in path.parts and path.suffix not in {".txt", ".svg", ".onnx"}]
    return [path.as_posix() for path in scanned if (ROOT / path).is_file()]


def secrets(names: list[str], root: Path) -> set[tuple[str, str]]:
    from detect_secrets import SecretsCollection  # noqa: PLC0415 - not installed in other environments that collect this file
    from detect_secrets.settings import default_settings  # noqa: PLC0415

    collection = SecretsCollection(root=str(root))
    with default_settings():
        collection.scan_files(*names)
    return {(name, secret.type) for name, secret in collection if secret.secret_value not in LOCAL_KEYS}


def test_no_file_has_a_secret() -> None:
    assert secrets(committed_files(), ROOT) - set(HARMLESS) == set()


def test_a_secret_is_detected(tmp_path: Path) -> None:
    key = "AKIA" + "QWERTYUIOPASDFGH"
    (tmp_path / "settings.py").write_text(f'aws_access_key_id = "{key}"\n')
    assert secrets(["settings.py"], tmp_path) == {("settings.py", "AWS Access Key")}
