"""Every command on machines as people have them: behind a proxy, in a notebook, with other locales, homes and profiles.

Each machine has several of these surroundings that have nothing to do with each other, a path with accents and a pipe
for a terminal; its commands run in one process. The journeys of test_command_line.py and test_rehearsal.py run `up`,
`demo`, `stage`, `train` and `down` in all surroundings at once.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cli_runner import User, command_names
from tests.integration.local_deployment import LocalDeployment, write_images
from tests.journeys.surroundings import (
    ACCENTED_FOLDER,
    DEAD_PROXY,
    DUMB_TERMINAL,
    LATIN_1_TERMINAL,
    LOCALE_C,
    NO_HOME,
    NO_PROFILE,
    NOTEBOOK,
    proxied,
)
from training.vehicle_net.package import SHIPPED

pytestmark = pytest.mark.integration

BASELINE = str(SHIPPED / "baseline-synthetic.json")
# Each command, and the exit codes with which it may end; 1 where a refusal is enough to show that it runs, because the
# whole takes minutes or needs AWS.
COMMANDS: dict[tuple[str, ...], set[int]] = {
    ("status",): {0, 3},
    ("doctor", "laptop"): {0},
    ("env",): {0},
    ("down",): {0},
    ("up", "--localstack-port", "PORT"): {1},
    ("bootstrap", "--yes"): {1},
    ("images", "push"): {1},
    ("deploy",): {0},
    ("rollback", "--yes"): {0, 1},
    ("destroy", "--yes", "--stack", "nowhere"): {1},
    ("stage", "--archive", "nowhere.tar.gz"): {1},
    ("train", "--dataset", "nowhere"): {1},
    ("rehearse", "--dataset", "nowhere", "--yes"): {1},
    ("endpoint", "delete"): {0},
    ("endpoint", "deploy"): {0},
    ("endpoint", "status"): {0},
    ("endpoint", "invoke", "photos/000000.png"): {0},
    ("run", "photos", "--threshold", "0.5"): {0},
    ("show", "EXECUTION"): {0},
    ("batch", "photos", "--threshold", "1"): {0},
    ("batch", "manifest.jsonl"): {0},
    ("review",): {0},
    ("redrive", "--dry-run"): {0},
    ("monitor", "--since", "1h", "--baseline", BASELINE): {0, 3, 4},
    ("baseline", "--captured", "--since", "1h", "--out", "baseline.json"): {0, 1},
    ("evaluate", "--synthetic", "--sample", "4"): {0},
    ("report", "--executions", "4", "--baseline", BASELINE): {0},
    ("cost",): {0},
}
ELSEWHERE = {
    ("demo",): "starts its own environment: test_command_line.py",
    ("images", "build"): "needs a Docker engine: tests/scones/commands and the tests marked docker",
    ("keep",): "runs in a container of docker-compose.yml until that stops",
}
WRITING_COMMANDS: tuple[tuple[str, ...], ...] = (
    ("batch", "photos", "--threshold", "0.5"),
    ("review",),
    ("monitor", "--since", "1h", "--baseline", BASELINE),
    ("evaluate", "--synthetic", "--sample", "4"),
    ("report", "--executions", "4", "--baseline", BASELINE),
    ("cost", "--write", "cost.md"),
    ("stage", "--synthetic"),
)
# Those that reach AWS, which a proxy forbids.
AWS_COMMANDS: tuple[tuple[str, ...], ...] = (
    ("run", "photos"),
    ("batch", "photos"),
    ("show", "x"),
    ("deploy", "--yes"),
    ("destroy", "--yes"),
    ("bootstrap", "--yes"),
    ("endpoint", "deploy", "--yes"),
    ("endpoint", "status"),
    ("endpoint", "delete"),
    ("stage", "--synthetic"),
    ("train", "--yes"),
    ("review",),
    ("redrive", "--dry-run"),
    ("monitor",),
    ("report",),
)
DRIVER = """
import json, os, resource, sys
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
if "FULL_DISK_BYTES" in os.environ:  # a file that grows beyond it fails as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ["FULL_DISK_BYTES"]), limits[1]))
from scones import cli
from tests.cli_server import read_models_once
read_models_once()
codes = []
for words in json.loads(sys.argv[1]):
    sys.argv = ["scones", *words]
    print("$", *sys.argv, file=sys.stderr, flush=True)
    try:
        cli.main()
    except SystemExit as end:
        codes.append(end.code or 0)
resource.setrlimit(resource.RLIMIT_FSIZE, limits)  # what measures coverage writes in the end
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


MACHINES: dict[str, dict[str, str]] = {
    "behind a dead proxy, in a notebook, with a dumb terminal": {
        **proxied(DEAD_PROXY),
        **NOTEBOOK,
        **LATIN_1_TERMINAL,
        **DUMB_TERMINAL,
    },
    "behind a refusing proxy, in the locale C, without a home": {**LOCALE_C, **NO_PROFILE, **NO_HOME},
}


def test_every_command_is_tried_or_has_a_reason() -> None:
    tried = {name for name in command_names() if any(words[: len(name)] == name for words in COMMANDS)}
    assert tried | set(ELSEWHERE) == set(command_names())
    assert not tried & set(ELSEWHERE)


def run_all(user: User, commands: list[list[str]]) -> tuple[list[int], "subprocess.CompletedProcess[str]"]:
    """Run commands one after another in one process and return how each ended."""
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, json.dumps(commands)], env=user.variables(), cwd=user.folder,
        capture_output=True, text=True, encoding="utf-8", errors="replace", check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1]), done


@pytest.mark.parametrize("machine", MACHINES)
def test_every_command_works_and_prints_uris_in_one_piece(
    machine: str, deployment: LocalDeployment, refusing_proxy: str, tmp_path: Path
) -> None:
    folder = tmp_path / ACCENTED_FOLDER
    write_images(folder / "photos", 2)
    (folder / "photos" / "notes.txt").write_text("not an image")
    bucket = deployment.outputs.data_bucket
    deployment.client("s3").upload_file(str(folder / "photos" / "000000.png"), bucket, "machines/ü.png")
    (folder / "manifest.jsonl").write_text('{"s3_key": "machines/ü.png"}\n', "utf-8-sig")
    environment = {
        "SCONES_LOCALSTACK_URL": deployment.state.localstack_url,
        "SCONES_SAGEMAKER_URL": deployment.state.sagemaker_url,
        "SCONES_CACHE": str(tmp_path / "cache"),
        **(proxied(refusing_proxy) if "refusing" in machine else {}),
        **MACHINES[machine],
    }
    (image,) = deployment.upload(tmp_path / "one", 1, "machines")
    (shown,) = deployment.run([image], f"machines-{os.getpid()}-{list(MACHINES).index(machine)}", threshold=0.5)
    values = {"PORT": str(urlsplit(deployment.state.localstack_url).port), "EXECUTION": shown.execution_arn}
    commands = [[values.get(word, word) for word in words] for words in COMMANDS]
    codes, done = run_all(User(tmp_path / "home", environment, folder), commands)
    unexpected = [
        words for (words, expected), code in zip(COMMANDS.items(), codes, strict=True) if code not in expected
    ]
    assert unexpected == [], done.stderr[-3000:]
    assert deployment.outputs.state_machine_arn in done.stdout
    assert "\x1b" not in done.stdout


def test_every_command_that_writes_is_one_line_on_a_full_disk_and_leaves_no_half_file(
    deployment: LocalDeployment, tmp_path: Path
) -> None:
    write_images(tmp_path / "photos", 20)
    environment = {
        "SCONES_LOCALSTACK_URL": deployment.state.localstack_url,
        "SCONES_SAGEMAKER_URL": deployment.state.sagemaker_url,
        "FULL_DISK_BYTES": "1000",
    }
    before = set(tmp_path.rglob("*"))
    codes, done = run_all(User(tmp_path / "home", environment, tmp_path), [list(words) for words in WRITING_COMMANDS])
    assert set(codes) == {1}, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == len(WRITING_COMMANDS), done.stderr
    batch, *others = errors
    assert batch.startswith("error: out/batch-"), done.stderr
    assert batch.endswith("--out FOLDER` writes its results to another folder"), done.stderr
    assert all(line.endswith("free some space or choose another directory") for line in others), done.stderr
    files = [path for path in set(tmp_path.rglob("*")) - before if path.is_file()]
    assert [path for path in files if path.stat().st_size >= 1000] == [], "cut off at the limit"


def test_every_command_for_aws_is_one_line_behind_a_refusing_proxy(refusing_proxy: str, tmp_path: Path) -> None:
    write_images(tmp_path / "photos", 1)
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    environment = {**proxied(refusing_proxy), **credentials, "SCONES_TARGET": "aws"}
    codes, done = run_all(User(tmp_path / "home", environment, tmp_path), [list(words) for words in AWS_COMMANDS])
    assert set(codes) == {1}, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == len(AWS_COMMANDS), done.stderr
    assert all(refusing_proxy in line and line.endswith("correct HTTPS_PROXY") for line in errors), done.stderr
