"""What a cold start loads: in a Lambda, import time is the user's time."""

import subprocess
import sys
from pathlib import Path

SERVICE = Path(__file__).parents[1]


def modules_after(code: str) -> set[str]:
    code += "; import sys; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=SERVICE, capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_the_handler_loads_no_client_and_no_reader_before_it_knows_the_image() -> None:
    loaded = modules_after("import handler")
    assert {"botocore.auth", "PIL.Image"} <= loaded
    assert not loaded & {
        "boto3",
        "botocore.client",
        "botocore.session",
        "PIL.JpegImagePlugin",
        "PIL.GifImagePlugin",
        "numpy",
    }


def test_collecting_garbage_is_on_again_once_all_is_loaded() -> None:
    code = "import handler, gc; assert gc.isenabled(); assert gc.get_freeze_count() > 10_000"
    subprocess.run([sys.executable, "-c", code], cwd=SERVICE, check=True)
