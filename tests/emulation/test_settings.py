"""The environment is read in the settings modules alone."""

from pathlib import Path

import emulation

PACKAGE = Path(emulation.__file__).parent


def test_only_settings_modules_read_the_environment() -> None:
    readers = {path for path in PACKAGE.rglob("*.py") if "environ" in path.read_text().replace("environment", "")}
    assert {path.name for path in readers} == {"settings.py"}
