"""How long a Lambda function takes from nothing to its first answer, as a bare process, beside what others would write.

python -m bench.lambda_start [--rounds 15] [--json]

Each figure is the median over processes started in turns: Python's own start, import of the handler and its first
invocation, against a stand-in on loopback that answers S3's GetObject and SageMaker's InvokeEndpoint at once.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
_BOTO3 = "import boto3, os\nclient = boto3.client({service!r}, region_name='us-east-1')\ndef handler(event, context):\n"
_GET = "    return {'size': len(client.get_object(Bucket='b', Key='k')['Body'].read())}\n"
_INVOKE = (
    "    return client.invoke_endpoint(EndpointName='e', ContentType='image/png', Body=b'x')['Body'].read().decode()\n"
)
RIVALS = {
    "empty handler": "def handler(event, context):\n    return {}\n",
    "boto3.client, S3": _BOTO3.format(service="s3") + _GET,
    "boto3.client, SageMaker runtime": _BOTO3.format(service="sagemaker-runtime") + _INVOKE,
    "SageMaker SDK": "from sagemaker.core.resources import Endpoint\n"
    + _BOTO3.format(service="sagemaker-runtime")
    + _INVOKE,
}
EVENTS = {
    "serialize": {"s3_bucket": "bench", "s3_key": "image.png"},
    "classify": {"s3_bucket": "bench", "s3_key": "image.png", "image_data": "eA==", "content_type": "image/png"},
    "filter": {"s3_bucket": "bench", "s3_key": "image.png", "inferences": [0.99, 0.01]},
}
# ru_maxrss would begin with what the process that started this one had.
_PROBE = """
import json, pathlib, re, resource, sys, time
event = json.loads(sys.argv[1])
from handler import handler
handler(event, type("Context", (), {"aws_request_id": "0" * 36, "get_remaining_time_in_millis": lambda self: 60000})())
answered, status = time.time(), pathlib.Path("/proc/self/status")
peak = re.search("VmHWM: +([0-9]+)", status.read_text().replace("\\t", " ")) if status.exists() else None
kibibytes = int(peak[1]) if peak else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([answered, kibibytes / 1024]), file=sys.stderr)
"""


class _Answer(BaseHTTPRequestHandler):
    """An image for every GET, two probabilities for every POST."""

    protocol_version = "HTTP/1.1"
    image = b""

    def do_GET(self) -> None:
        self._send(self.image, "image/png")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._send(b"[0.99, 0.01]", "application/json")

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def stand_in(image: bytes | None = None) -> Iterator[str]:
    """Answer every GET with the image, else a small PNG, and give the address."""
    picture = BytesIO()
    Image.new("RGB", (32, 32), (90, 120, 60)).save(picture, "PNG")
    _Answer.image = picture.getvalue() if image is None else image
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def lay_out(folder: Path) -> dict[str, tuple[Path, str]]:
    """Write every handler into a folder of its own, ours as their images are built; name to folder and event."""
    found: dict[str, tuple[Path, str]] = {}
    for name, event in EVENTS.items():
        place = folder / name
        shutil.copytree(ROOT / "services" / name, place, ignore=shutil.ignore_patterns("tests", "__pycache__"))
        if (place / "slim_sdk.py").exists():
            subprocess.run([sys.executable, "slim_sdk.py", "sdk"], cwd=place, check=True, stdout=subprocess.DEVNULL)
        found[name] = place, json.dumps(event)
    for name, source in RIVALS.items():
        place = folder / name.replace(" ", "_")
        place.mkdir()
        (place / "handler.py").write_text(source, encoding="utf-8")
        found[name] = place, "{}"
    for place, _ in found.values():
        subprocess.run([sys.executable, "-m", "compileall", "-q", str(place)], check=True)
    return found


def once(place: Path, event: str, address: str) -> tuple[float, float]:
    """Run a handler once in a process of its own; return milliseconds to its answer, and its peak of memory in MiB."""
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": address,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_EC2_METADATA_DISABLED": "true",
        "ENDPOINT_NAME": "bench",
        "HOME": str(place),
    }
    command = [sys.executable, "-c", _PROBE, event]
    began = time.time()
    done = subprocess.run(command, cwd=place, env=environment, check=True, capture_output=True, text=True)
    answered, mebibytes = json.loads(done.stderr.splitlines()[-1])
    return (answered - began) * 1000, mebibytes


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Median milliseconds to the first answer and peak MiB of each handler, over processes started in turns."""
    with tempfile.TemporaryDirectory() as scratch, stand_in() as address:
        laid = lay_out(Path(scratch))
        samples: dict[str, list[tuple[float, float]]] = {name: [] for name in laid}
        for number in range(rounds + 1):
            for name, (place, event) in laid.items():
                sample = once(place, event, address)
                if number:  # the first round warms the disk's cache
                    samples[name].append(sample)
    return {
        name: {
            "milliseconds": round(statistics.median(time for time, _ in taken), 1),
            "mebibytes": round(statistics.median(memory for _, memory in taken), 1),
        }
        for name, taken in samples.items()
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.lambda_start", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    found = measure(options.rounds)
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    against = {
        "serialize": "boto3.client, S3",
        "classify": "boto3.client, SageMaker runtime",
        "filter": "empty handler",
    }
    for name, figures in found.items():
        rival = against.get(name)
        ratio = f"{figures['milliseconds'] / found[rival]['milliseconds']:.2f} of {rival}" if rival else ""
        print(f"{name:32} {figures['milliseconds']:8.1f} ms {figures['mebibytes']:7.1f} MiB  {ratio}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
