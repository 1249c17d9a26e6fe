"""What images cost on AWS, from a table of list prices: by Standard, by Express and by batch.

Pure arithmetic over named assumptions; nothing is looked up at run time. How many states an image passes through, and
how much memory its functions have, is read from the definitions that are deployed.
"""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.generate_definitions import CLASSIFY_IMAGE
from orchestration.package import TEMPLATE

PRICES = Path(__file__).with_name("prices.json")
WORKFLOWS = ("standard", "express", "batch")
_GB = 1024**3
_EXPRESS_STEP_MS, _EXPRESS_STEP_MB = 100, 64


@dataclass(frozen=True)
class Prices:
    """US dollars by name, each with its unit and the page it is from."""

    region: str
    as_of: str
    note: str
    table: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, path: Path = PRICES) -> "Prices":
        """Read the table that ships with Scones, or another of its form."""
        found = json.loads(path.read_text("utf-8"))
        return cls(found["region"], found["as_of"], found["note"], found["prices"])

    def __getitem__(self, name: str) -> float:
        return float(self.table[name]["price"])


@dataclass(frozen=True)
class Assumptions:
    """What the cost depends on beside the prices; ``about`` says of each where its default comes from."""

    image_kb: float = 30.0
    serialize_ms: float = 60.0
    classify_ms: float = 60.0
    filter_ms: float = 3.0
    review_share: float = 0.15
    images_per_second: float = 50.0
    log_bytes: float = 1200.0
    express_log_bytes: float = 0.0
    traced_share: float = 0.05
    captured_share: float = 1.0
    architecture: str = "x86_64"

    @staticmethod
    def about() -> dict[str, str]:
        """Say what each assumption means and what speaks for its default."""
        return {
            "image_kb": "KB of an image as it comes; a guess for a 640-pixel JPEG",
            "serialize_ms": "billed ms of SerializeImageData; a guess: one S3 read on AWS, and decoding",
            "classify_ms": "billed ms of ClassifyImageData; a guess: the endpoint's answer and the way there",
            "filter_ms": "billed ms of FilterInferences; a guess above what it takes on a laptop",
            "review_share": "share of images below the threshold: some 14 % in the shipped model's cross-validation",
            "images_per_second": "throughput of one ml.m5.xlarge; a guess: four busy cores at 10 to 20 ms an image",
            "log_bytes": "bytes in CloudWatch Logs for an image: START, END and REPORT lines of three functions",
            "express_log_bytes": "what an Express execution adds to that; at log level ERROR only failures do",
            "traced_share": "share of executions that X-Ray's default sampling records at a high rate",
            "captured_share": "share of requests that data capture writes to S3",
            "architecture": "what the functions run on",
        }


@dataclass(frozen=True)
class Cost:
    """US dollars for a number of images by one workflow, by what is paid for."""

    workflow: str
    images: int
    parts: dict[str, float]

    @property
    def total(self) -> float:
        """All parts together."""
        return sum(self.parts.values())


def states_on_the_way(machine: dict[str, Any]) -> int:
    """Count the states that an image passes through when all goes well."""
    states, name, count = machine["States"], machine["StartAt"], 0
    while name is not None:
        count, name = count + 1, states[name].get("Next")
    return count


def memory_mb(service: str, template: Path = TEMPLATE) -> int:
    """Return the memory that the template gives to a function, in MB."""
    block = template.read_text("utf-8").split(f"\n  {service.capitalize()}Function:\n", 1)[1]
    found = re.search(r"^ +MemorySize: (\d+)", block.split("\n\n", 1)[0], re.MULTILINE)
    if found is None:
        raise ValueError(f"the template gives {service.capitalize()}Function no MemorySize")
    return int(found[1])


def estimate(images: int, given: Assumptions, prices: Prices, workflow: str) -> Cost:
    """Return what ``images`` cost by one of WORKFLOWS. An image that goes to review passes two states more."""
    parts = {
        "workflow": images * _workflow(given, prices, workflow),
        "lambda": images * _lambda(given, prices),
        "endpoint": _endpoint(images, given, prices),
        "s3": images * _s3(given, prices, workflow),
        "sqs": images * given.review_share * 3 * prices["sqs_request"],  # sent, received, deleted
        "logs": images * _logs(given, prices, workflow),
    }
    return Cost(workflow, images, parts)


def endpoint_month(prices: Prices) -> float:
    """Return what one instance costs that is left running for a month of 730 hours."""
    return 730 * prices["endpoint_hour"]


def _workflow(given: Assumptions, prices: Prices, workflow: str) -> float:
    """Dollars an image for Step Functions.

    Standard: a transition for each state, and one for the start. Express: a request, and time in steps of 100 ms by
    memory in steps of 64 MB, of which one suffices for this payload. Batch: a Distributed Map with Express children;
    that the parent pays a transition for each child it starts is the dearer reading of AWS's page, taken to be safe.
    """
    if workflow == "standard":
        states = 1 + states_on_the_way(json.loads(CLASSIFY_IMAGE.read_text("utf-8"))) + 2 * given.review_share
        return states * prices["states_transition"]
    milliseconds = given.serialize_ms + given.classify_ms + given.filter_ms
    billed = math.ceil(milliseconds / _EXPRESS_STEP_MS) * _EXPRESS_STEP_MS / 1000
    express = prices["states_express_request"] + billed * _EXPRESS_STEP_MB / 1024 * prices["states_express_gb_second"]
    return express + (prices["states_transition"] if workflow == "batch" else 0.0)


def _lambda(given: Assumptions, prices: Prices) -> float:
    rate = prices[f"lambda_gb_second_{given.architecture}"]
    seconds = {"serialize": given.serialize_ms, "classify": given.classify_ms, "filter": given.filter_ms}
    duration = sum(math.ceil(ms) / 1000 * memory_mb(name) / 1024 * rate for name, ms in seconds.items())
    return duration + len(seconds) * prices["lambda_request"]


def _endpoint(images: int, given: Assumptions, prices: Prices) -> float:
    """Instance hours for as long as the images take, and the data in; an answer is 40 bytes and not counted."""
    hours = images / given.images_per_second / 3600
    return hours * prices["endpoint_hour"] + images * given.image_kb * 1024 / _GB * prices["endpoint_gb"]


def _logs(given: Assumptions, prices: Prices, workflow: str) -> float:
    written = given.log_bytes + (0.0 if workflow == "standard" else given.express_log_bytes)
    return written / _GB * prices["logs_gb"] + given.traced_share * prices["xray_trace"]


def _s3(given: Assumptions, prices: Prices, workflow: str) -> float:
    """Put and read once, kept a month; captured in base64, a third larger, one file an image, which is the most."""
    image = given.image_kb * 1024 / _GB
    capture = given.captured_share * (prices["s3_put"] + image * 4 / 3 * prices["s3_gb_month"])
    listing = prices["s3_put"] / 1000 if workflow == "batch" else 0.0
    return prices["s3_put"] + prices["s3_get"] + image * prices["s3_gb_month"] + capture + listing
