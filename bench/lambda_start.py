"""How long a Lambda function takes from nothing to its first answer, as a bare process, beside what others would write.

python -m bench.lambda_start [--rounds 15] [--json]

Each figure is the median over processes started in turns: Python's own start, import of the handler and its first
invocation, against a stand-in on loopback that answers S3's GetObject and SageMaker's InvokeEndpoint at once. Beside
the time that passed stands the processor's, which a machine that does other work as well tells more truly.
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
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from bench.results import Claim, Section

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
EVENTS: dict[str, dict[str, Any]] = {
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
at, used, status = time.time(), resource.getrusage(resource.RUSAGE_SELF), pathlib.Path("/proc/self/status")
peak = re.search("VmHWM: +([0-9]+)", status.read_text().replace("\\t", " ")) if status.exists() else None
kibibytes = int(peak[1]) if peak else used.ru_maxrss
print(json.dumps([at, used.ru_utime + used.ru_stime, kibibytes / 1024]), file=sys.stderr)
"""


class _Answer(BaseHTTPRequestHandler):
    """An image for every GET, two probabilities for every POST."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one packet, or the client's delayed acknowledgement costs 40 ms each time
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
def stand_in(image: bytes | None = None, host: str = "127.0.0.1") -> Iterator[str]:
    """Answer every GET with the image, else a small PNG, and give the address."""
    picture = BytesIO()
    Image.new("RGB", (32, 32), (90, 120, 60)).save(picture, "PNG")
    _Answer.image = picture.getvalue() if image is None else image
    server = ThreadingHTTPServer((host, 0), _Answer)
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


@dataclass(frozen=True)
class Sample:
    """One process: milliseconds to its first answer, those of the processor, and the most MiB that it held."""

    milliseconds: float
    cpu_milliseconds: float
    mebibytes: float


def once(place: Path, event: str, address: str) -> Sample:
    """Run a handler once in a process of its own."""
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
    answered, cpu_seconds, mebibytes = json.loads(done.stderr.splitlines()[-1])
    return Sample((answered - began) * 1000, cpu_seconds * 1000, mebibytes)


def measure(rounds: int) -> dict[str, dict[str, Any]]:
    """Medians of each handler over processes started in turns, with the quartiles of the time."""
    with tempfile.TemporaryDirectory() as scratch, stand_in() as address:
        laid = lay_out(Path(scratch))
        samples: dict[str, list[Sample]] = {name: [] for name in laid}
        for number in range(rounds + 1):
            for name, (place, event) in laid.items():
                sample = once(place, event, address)
                if number:  # the first round warms the disk's cache
                    samples[name].append(sample)
    found: dict[str, dict[str, Any]] = {}
    for name, taken in samples.items():
        low, middle, high = statistics.quantiles([each.milliseconds for each in taken], n=4)
        found[name] = {
            "milliseconds": round(middle, 1),
            "quartiles": [round(low, 1), round(high, 1)],
            "cpu_milliseconds": round(statistics.median(each.cpu_milliseconds for each in taken), 1),
            "mebibytes": round(statistics.median(each.mebibytes for each in taken), 1),
            "n": len(taken),
        }
    return found


AGAINST = {"serialize": "boto3.client, S3", "classify": "boto3.client, SageMaker runtime", "filter": "empty handler"}
_BOUNDS = {"serialize": 0.9, "classify": 0.9, "filter": 1.2}


def section(options: Any) -> Section:
    """Measure for `make bench`."""
    found = measure(3 if options.quick else 15)

    def ratio(name: str, figure: str) -> float:
        return float(round(found[name][figure] / found[AGAINST[name]][figure], 2))

    rows = []
    for name, each in found.items():
        low, high = each["quartiles"]
        beside = f"{ratio(name, 'milliseconds')} ({ratio(name, 'cpu_milliseconds')} of CPU)" if name in AGAINST else ""
        rows.append(
            [
                name,
                f"{each['milliseconds']} ({low} to {high})",
                f"{each['cpu_milliseconds']}",
                f"{each['mebibytes']}",
                beside,
            ]
        )
    slowest = max(found[name]["milliseconds"] for name in EVENTS)
    claims = [
        Claim(f"{name}, of {AGAINST[name]}, by processor time", ratio(name, "cpu_milliseconds"), bound)
        for name, bound in _BOUNDS.items()
    ]
    sdk = round(found["SageMaker SDK"]["milliseconds"] / slowest, 1)
    claims.append(
        Claim("the slowest of them, times faster than one that imports the SageMaker SDK", sdk, 5, at_least=True)
    )
    how = (
        "A handler from nothing to its first answer as a bare process, against a stand-in for S3 and SageMaker on "
        f"loopback: medians of {found['filter']['n']} processes of each, in turns; quartiles in brackets."
    )
    header = ["handler", "ms", "CPU ms", "peak MiB", "of its rival"]
    return Section("Lambda start, bare process", how, header, rows, claims, found)


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
    for name, figures in found.items():
        rival = AGAINST.get(name)
        ratio = f"{figures['milliseconds'] / found[rival]['milliseconds']:.2f} of {rival}" if rival else ""
        print(
            f"{name:32} {figures['milliseconds']:8.1f} ms {figures['cpu_milliseconds']:8.1f} ms of CPU "
            f"{figures['mebibytes']:7.1f} MiB  {ratio}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
