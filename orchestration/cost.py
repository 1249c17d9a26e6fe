"""Computes the cost of images on AWS from list prices: by Standard, Express and batch workflow.

Pure arithmetic over named assumptions. The number of states that an image passes through comes from the state machine,
the functions' memory from the template.
"""

import json
import math
import re
from dataclasses import dataclass, field, fields
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
    """Prices in US dollars by name, each with its unit and source."""

    region: str
    as_of: str
    note: str
    table: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, path: Path = PRICES) -> "Prices":
        """Read a table of prices."""
        content = json.loads(path.read_text("utf-8"))
        return cls(content["region"], content["as_of"], content["note"], content["prices"])

    def __getitem__(self, name: str) -> float:
        return float(self.table[name]["price"])


def _assumed(default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True)
class Assumptions:
    """What the cost depends on besides prices, each with its meaning and the source of its default."""

    image_kb: float = _assumed(30.0, "size of an image in KB; a guess for a 640-pixel JPEG")
    serialize_ms: float = _assumed(60.0, "billed ms of SerializeImageData; a guess: one S3 read on AWS, and decoding")
    classify_ms: float = _assumed(60.0, "billed ms of ClassifyImageData; a guess: the invocation of the endpoint")
    filter_ms: float = _assumed(3.0, "billed ms of FilterInferences; a guess above the duration on a laptop")
    review_share: float = _assumed(
        0.15, "share of images below the threshold: about 14 % in the shipped model's cross-validation"
    )
    images_per_second: float = _assumed(
        50.0, "images per second of one ml.m5.xlarge; a guess: four cores at 10 to 20 ms an image"
    )
    log_bytes: float = _assumed(
        1200.0, "bytes in CloudWatch Logs per image: START, END and REPORT lines of three functions"
    )
    express_log_bytes: float = _assumed(
        0.0, "additional bytes of an Express execution; log level ERROR logs only failures"
    )
    traced_share: float = _assumed(0.05, "share of executions that X-Ray's default sampling records at high rates")
    captured_share: float = _assumed(1.0, "share of requests that data capture writes to S3")
    architecture: str = _assumed("x86_64", "architecture of the functions")

    @classmethod
    def descriptions(cls) -> dict[str, str]:
        """Return what each assumption means, and the source of its default."""
        return {each.name: each.metadata["meaning"] for each in fields(cls)}


@dataclass(frozen=True)
class Cost:
    """US dollars for a number of images by one workflow, by service."""

    workflow: str
    images: int
    parts: dict[str, float]

    @property
    def total(self) -> float:
        """The sum of the parts."""
        return sum(self.parts.values())


def count_states(machine: dict[str, Any]) -> int:
    """Return the number of states that a classified image passes through."""
    states, name, count = machine["States"], machine["StartAt"], 0
    while name is not None:
        count, name = count + 1, states[name].get("Next")
    return count


def memory_mb(service: str, template: Path = TEMPLATE) -> int:
    """Return a function's memory in MB, from the template."""
    block = template.read_text("utf-8").split(f"\n  {service.capitalize()}Function:\n", 1)[1]
    match = re.search(r"^ +MemorySize: (\d+)", block.split("\n\n", 1)[0], re.MULTILINE)
    if match is None:
        raise ValueError(f"{service.capitalize()}Function has no MemorySize in the template")
    return int(match[1])


def estimate(images: int, assumptions: Assumptions, prices: Prices, workflow: str) -> Cost:
    """Return the cost of ``images`` by one of WORKFLOWS. An image for review passes through two more states."""
    parts = {
        "workflow": images * _workflow(assumptions, prices, workflow),
        "lambda": images * _lambda(assumptions, prices),
        "endpoint": _endpoint(images, assumptions, prices),
        "s3": images * _s3(assumptions, prices, workflow),
        "events": images * _events(assumptions, prices),
        "sqs": images * assumptions.review_share * 3 * prices["sqs_request"],  # sent, received, deleted
        "logs": images * _logs(assumptions, prices, workflow),
    }
    return Cost(workflow, images, parts)


def endpoint_month(prices: Prices) -> float:
    """Return the cost of one endpoint instance for a month of 730 hours."""
    return 730 * prices["endpoint_hour"]


def _workflow(assumptions: Assumptions, prices: Prices, workflow: str) -> float:
    """Dollars an image for Step Functions.

    Standard: a transition for each state, and one for the start. Express: a request, and time in steps of 100 ms by
    memory in steps of 64 MB, of which this payload takes one. Batch: a Distributed Map with Express children;
    one transition of the parent a child is the more expensive reading of AWS's page.
    """
    if workflow == "standard":
        states = 1 + count_states(json.loads(CLASSIFY_IMAGE.read_text("utf-8"))) + 2 * assumptions.review_share
        return states * prices["states_transition"]
    milliseconds = assumptions.serialize_ms + assumptions.classify_ms + assumptions.filter_ms
    billed = math.ceil(milliseconds / _EXPRESS_STEP_MS) * _EXPRESS_STEP_MS / 1000
    express = prices["states_express_request"] + billed * _EXPRESS_STEP_MB / 1024 * prices["states_express_gb_second"]
    return express + (prices["states_transition"] if workflow == "batch" else 0.0)


def _lambda(assumptions: Assumptions, prices: Prices) -> float:
    rate = prices[f"lambda_gb_second_{assumptions.architecture}"]
    seconds = {
        "serialize": assumptions.serialize_ms,
        "classify": assumptions.classify_ms,
        "filter": assumptions.filter_ms,
    }
    duration = sum(math.ceil(ms) / 1000 * memory_mb(name) / 1024 * rate for name, ms in seconds.items())
    return duration + len(seconds) * prices["lambda_request"]


def _endpoint(images: int, assumptions: Assumptions, prices: Prices) -> float:
    """Instance hours at the assumed throughput, and the data in; a response of 40 bytes is not counted."""
    hours = images / assumptions.images_per_second / 3600
    return hours * prices["endpoint_hour"] + images * assumptions.image_kb * 1024 / _GB * prices["endpoint_gb"]


def _logs(assumptions: Assumptions, prices: Prices, workflow: str) -> float:
    written = assumptions.log_bytes + (0.0 if workflow == "standard" else assumptions.express_log_bytes)
    return written / _GB * prices["logs_gb"] + assumptions.traced_share * prices["xray_trace"]


def _events(assumptions: Assumptions, prices: Prices) -> float:
    """The bucket reports each object to EventBridge: when it is created, when it expires, and when its version goes."""
    return 3 * (1 + assumptions.captured_share) * prices["events_opt_in"]


def _s3(assumptions: Assumptions, prices: Prices, workflow: str) -> float:
    """Written and read once, stored for a month; captured in base64, a third larger, at most one file an image."""
    image = assumptions.image_kb * 1024 / _GB
    capture = assumptions.captured_share * (prices["s3_put"] + image * 4 / 3 * prices["s3_gb_month"])
    listing = prices["s3_put"] / 1000 if workflow == "batch" else 0.0
    return prices["s3_put"] + prices["s3_get"] + image * prices["s3_gb_month"] + capture + listing
