"""The Lambda handlers under measurement, the handlers they are compared with, and a server that stands in for AWS."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from bench.results import ROOT

_BOTO3 = "import boto3, os\nclient = boto3.client({service!r}, region_name='us-east-1')\ndef handler(event, context):\n"
_GET = "    return {'size': len(client.get_object(Bucket='b', Key='k')['Body'].read())}\n"
_INVOKE = (
    "    return client.invoke_endpoint(EndpointName='e', ContentType='image/png', Body=b'x')['Body'].read().decode()\n"
)
BASELINES = {
    "empty handler": "def handler(event, context):\n    return {}\n",
    "boto3.client, S3": _BOTO3.format(service="s3") + _GET,
    "boto3.client, SageMaker runtime": _BOTO3.format(service="sagemaker-runtime") + _INVOKE,
    "SageMaker SDK": "from sagemaker.core.resources import Endpoint\n"
    + _BOTO3.format(service="sagemaker-runtime")
    + _INVOKE,
}
BASELINE_OF = {
    "serialize": "boto3.client, S3",
    "classify": "boto3.client, SageMaker runtime",
    "filter": "empty handler",
}
EVENTS: dict[str, dict[str, Any]] = {
    "serialize": {"s3_bucket": "bench", "s3_key": "image.png"},
    "classify": {"s3_bucket": "bench", "s3_key": "image.png", "image_data": "eA==", "content_type": "image/png"},
    "filter": {"s3_bucket": "bench", "s3_key": "image.png", "inferences": [0.99, 0.01]},
}
# VmHWM, because ru_maxrss would begin with what the parent process had.
_PROBE = """
import json, pathlib, re, resource, sys, time
event = json.loads(sys.argv[1])
from handler import handler
handler(event, type("Context", (), {"aws_request_id": "0" * 36, "get_remaining_time_in_millis": lambda self: 60000})())
at, used, status = time.time(), resource.getrusage(resource.RUSAGE_SELF), pathlib.Path("/proc/self/status")
peak = re.search("VmHWM: +([0-9]+)", status.read_text().replace("\\t", " ")) if status.exists() else None
kibibytes = int(peak[1]) if peak else used.ru_maxrss
print(json.dumps([at, used.ru_utime + used.ru_stime, kibibytes / 1024]), file=sys.stderr)
"""


class AwsStub(BaseHTTPRequestHandler):
    """Returns an image for every GET, as S3 does, and two probabilities for every POST, as the endpoint does."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # a response in one packet, or the client's delayed acknowledgement costs 40 ms each time
    image = b""

    def do_GET(self) -> None:
        """Return the image."""
        self._send(self.image, "image/png")

    def do_POST(self) -> None:
        """Return two probabilities."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._send(b"[0.99, 0.01]", "application/json")

    def _send(self, body: bytes, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def aws_stub(image: bytes | None = None, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve the image, by default a small PNG, and yield the URL."""
    small = BytesIO()
    Image.new("RGB", (32, 32), (90, 120, 60)).save(small, "PNG")
    AwsStub.image = small.getvalue() if image is None else image
    server = ThreadingHTTPServer((host, 0), AwsStub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def environment(url: str) -> dict[str, str]:
    """Return the variables of a function that reaches AWS at ``url``."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_EC2_METADATA_DISABLED": "true",
        "ENDPOINT_NAME": "bench",
    }


def process_environment(folder: Path, url: str) -> dict[str, str]:
    """Return the whole environment of a handler's process."""
    return {**environment(url), "PATH": os.environ["PATH"], "HOME": str(folder)}


def install(folder: Path) -> dict[str, tuple[Path, str]]:
    """Write each handler into its own folder, ours as their images have them; name to folder and event."""
    handlers: dict[str, tuple[Path, str]] = {}
    for name, event in EVENTS.items():
        target = folder / name
        shutil.copytree(ROOT / "services" / name, target, ignore=shutil.ignore_patterns("tests", "__pycache__"))
        handlers[name] = target, json.dumps(event)
    for name, source in BASELINES.items():
        target = folder / name.replace(" ", "_")
        target.mkdir()
        (target / "handler.py").write_text(source, encoding="utf-8")
        handlers[name] = target, "{}"
    for target, _ in handlers.values():
        subprocess.run([sys.executable, "-m", "compileall", "-q", str(target)], check=True)
    return handlers


@dataclass(frozen=True)
class ColdStart:
    """One process: wall and CPU milliseconds from its start to its first response, and peak memory in MiB."""

    milliseconds: float
    cpu_milliseconds: float
    mebibytes: float

    @classmethod
    def of(cls, folder: Path, event: str, url: str) -> "ColdStart":
        """Run a handler once in its own process."""
        began = time.time()
        done = subprocess.run(
            [sys.executable, "-c", _PROBE, event],
            cwd=folder,
            env=process_environment(folder, url),
            check=True,
            capture_output=True,
            text=True,
        )
        ended, cpu_seconds, mebibytes = json.loads(done.stderr.splitlines()[-1])
        return cls((ended - began) * 1000, cpu_seconds * 1000, mebibytes)
