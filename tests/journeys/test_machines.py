"""Commands on machines as people have them: behind a proxy, in a notebook, with other locales, homes and profiles.

All commands that talk to the local environment run in one process for each machine; those that start processes of their
own (`up`, `demo`, `train`) have tests of theirs.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scones.model_serving import SHIPPED_MODEL
from tests.cli_runner import User
from tests.integration.local_deployment import LocalDeployment, write_images

pytestmark = pytest.mark.integration

BASELINE = str(SHIPPED_MODEL / "baseline-synthetic.json")
# Each command, and the exit codes with which it may end.
COMMANDS: dict[tuple[str, ...], set[int]] = {
    ("status",): {0, 3},
    ("doctor", "laptop"): {0},
    ("deploy",): {0},
    ("endpoint", "deploy"): {0},
    ("endpoint", "status"): {0},
    ("endpoint", "invoke", "photos/000000.png"): {0},
    ("run", "photos", "--threshold", "0.5"): {0},
    ("batch", "photos", "--threshold", "1"): {0},
    ("batch", "manifest.jsonl"): {0},
    ("review",): {0},
    ("redrive", "--dry-run"): {0},
    ("monitor", "--since", "1h", "--baseline", BASELINE): {0, 3, 4},
    ("evaluate", "--synthetic", "--sample", "4"): {0},
    ("report", "--executions", "4", "--baseline", BASELINE): {0},
    ("cost",): {0},
}
DRIVER = """
import json, sys
from scones import cli
codes = []
for words in json.loads(sys.argv[1]):
    sys.argv = ["scones", *words]
    print("$", *sys.argv, file=sys.stderr, flush=True)
    try:
        cli.main()
    except SystemExit as end:
        codes.append(end.code or 0)
print(json.dumps(codes))
"""


class Refuse(BaseHTTPRequestHandler):
    """A company's proxy, which answers every request with 403 and a page."""

    def do_GET(self) -> None:
        body = b"<html><body><h1>Access denied by policy</h1></body></html>"
        self.send_response(403)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_HEAD = do_DELETE = do_CONNECT = do_GET  # noqa: N815 - as the base class calls them

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def refusing_proxy() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refuse) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def proxied(url: str) -> dict[str, str]:
    return {name: url for base in ("http_proxy", "https_proxy", "all_proxy") for name in (base, base.upper())}


MACHINES: dict[str, dict[str, str]] = {
    "behind a dead proxy": proxied("http://127.0.0.1:9"),
    "behind a refusing proxy": {},
    "in a notebook": {"MPLBACKEND": "module://matplotlib_inline.backend_inline"},
    "in the locale C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "with a Latin-1 terminal": {"PYTHONIOENCODING": "latin-1"},
    "without a home that can be written": {"HOME": "/dev/null/home", "XDG_CACHE_HOME": "/dev/null/cache"},
    "with a profile that does not exist": {"AWS_PROFILE": "nowhere", "AWS_CONFIG_FILE": "/dev/null/config"},
    "with a dumb terminal": {"TERM": "dumb", "COLUMNS": "40"},
}


@pytest.mark.parametrize("machine", MACHINES)
def test_every_command_works_and_prints_uris_in_one_piece(
    machine: str, deployment: LocalDeployment, refusing_proxy: str, tmp_path: Path
) -> None:
    folder = tmp_path / "Bücher & Fotos"
    write_images(folder / "photos", 2)
    (folder / "photos" / "notes.txt").write_text("not an image")
    bucket = deployment.outputs.data_bucket
    deployment.client("s3").upload_file(str(folder / "photos" / "000000.png"), bucket, "machines/ü.png")
    (folder / "manifest.jsonl").write_text('{"s3_key": "machines/ü.png"}\n', "utf-8-sig")
    environment = {
        "SCONES_LOCALSTACK_URL": deployment.state.localstack_url,
        "SCONES_SAGEMAKER_URL": deployment.state.sagemaker_url,
        "SCONES_CACHE": str(tmp_path / "cache"),
        **(MACHINES[machine] or proxied(refusing_proxy)),
    }
    user = User(tmp_path / "home", environment, folder)
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, json.dumps(list(COMMANDS))], env=user.variables(), cwd=folder,
        capture_output=True, text=True, encoding="utf-8", errors="replace", check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
    codes = json.loads(done.stdout.splitlines()[-1])
    unexpected = [
        words for (words, expected), code in zip(COMMANDS.items(), codes, strict=True) if code not in expected
    ]
    assert unexpected == [], done.stderr[-3000:]
    assert deployment.outputs.state_machine_arn in done.stdout
    assert "\x1b" not in done.stdout
