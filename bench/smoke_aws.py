"""`make smoke-aws`: checks on an AWS account what docs/aws.md says only AWS can tell; prints what to paste there.

Deploys a separate stack with an endpoint, classifies ten images, waits until the endpoint is deleted on schedule,
and destroys what it has created. It takes about an hour and costs less than a dollar.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from PIL import Image

from core.aws_errors import is_throttled
from core.labels import VEHICLES
from orchestration import bootstrap
from orchestration.stack_outputs import StackOutputs, read_stack_outputs
from scones import console
from scones.context import aws_session
from scones.settings import ROOT, Settings, Target
from training.data.synthetic import render

IMAGES = 10
STACK = "scones-smoke"
NOT_CHECKED = {"idle": "not checked: a function becomes idle after weeks"}


@dataclass
class Smoke:
    """One run: what each claim of docs/aws.md turned out to be, by the claim's key."""

    seconds: float
    settings: Settings = field(
        default_factory=lambda: replace(Settings.from_environment(), target=Target.AWS, stack=STACK)
    )
    results: dict[str, str] = field(default_factory=lambda: dict(NOT_CHECKED))
    had_bootstrap: bool = True

    def scones(self, *words: str) -> Any:
        """Run a command on the stack, and return the JSON that it prints."""
        command = [sys.executable, "-m", "scones", *words, "--json"]
        environment = {**os.environ, "SCONES_TARGET": "aws", "SCONES_STACK": STACK, "PYTHONPATH": str(ROOT)}
        console.note(f"scones {' '.join(words)}")
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout)

    def client(self, service: str) -> Any:
        """Return a client of the account."""
        return aws_session(self.settings).client(service)

    def wait(self, condition: Callable[[], bool]) -> bool:
        """Return whether a condition holds within the time; throttled requests are repeated."""
        deadline = time.monotonic() + self.seconds
        while time.monotonic() < deadline:
            try:
                if condition():
                    return True
            except ClientError as error:
                if not is_throttled(error):
                    raise
            time.sleep(min(5.0, self.seconds / 10))
        return False

    def deploy(self) -> StackOutputs:
        """Deploy with the role that the bootstrap stack has made for CloudFormation."""
        self.had_bootstrap = bootstrap.exists(self.client("cloudformation"))
        role = self.scones("bootstrap", "--target", "aws", "--yes")["DeploymentRoleArn"]
        self.scones("deploy", "--yes", "--role-arn", role)
        self.results["roles"] = "holds for DeploymentRole; CiRole is checked by the first release"
        return read_stack_outputs(self.client("cloudformation"), self.settings.stack)

    def create_endpoint(self, name: str) -> None:
        """Create the endpoint, and record its capture summary during the creation."""
        seen: set[str] = set()
        created = threading.Event()

        def watch() -> None:
            client = self.client("sagemaker")
            while not created.wait(self.seconds / 900):
                try:
                    endpoint = client.describe_endpoint(EndpointName=name)
                except ClientError:
                    continue
                if endpoint["EndpointStatus"] == "Creating":
                    seen.update(endpoint.get("DataCaptureConfig", {"no summary": True}))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            self.scones("endpoint", "deploy", "--yes", "--ttl", "30m", "--max", "2")
        finally:
            created.set()
            watcher.join()
        self.results["summary"] = f"while Creating: {', '.join(sorted(seen)) or 'never seen'}"

    def classify(self, folder: Path) -> None:
        """Classify ten images by the functions, whose container images AWS's base image is part of."""
        for number in range(IMAGES):
            Image.fromarray(render(number % len(VEHICLES), number, 64)).save(folder / f"{number}.png")
        statuses = [outcome["status"] for outcome in self.scones("run", str(folder))]
        holds = statuses == ["SUCCEEDED"] * IMAGES
        self.results["base image"] = "holds" if holds else f"does not hold: {statuses}"

    def trigger(self, outputs: StackOutputs, image: Path) -> None:
        """Upload an image under incoming/, and wait for its execution."""
        stepfunctions, arn = self.client("stepfunctions"), outputs.state_machine_arn
        before = {each["executionArn"] for each in _executions(stepfunctions, arn)}
        self.client("s3").upload_file(str(image), outputs.data_bucket, f"incoming/{image.name}")
        started = self.wait(lambda: bool({each["executionArn"] for each in _executions(stepfunctions, arn)} - before))
        self.results["trigger"] = "holds" if started else "does not hold: no execution has started"

    def watch_deletion(self, outputs: StackOutputs) -> None:
        """Wait until the schedule has deleted the endpoint, and look for its scaling target."""
        sagemaker, scaling = self.client("sagemaker"), self.client("application-autoscaling")

        def is_deleted() -> bool:
            return not sagemaker.list_endpoints(NameContains=outputs.endpoint_name)["Endpoints"]

        deleted = self.wait(is_deleted)
        targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        left = [each["ResourceId"] for each in targets if outputs.endpoint_name in each["ResourceId"]]
        result = "holds" if deleted and not left else f"does not hold: deleted {deleted}, scaling targets {left}"
        self.results["deletion"] = result


def _executions(stepfunctions: Any, state_machine_arn: str) -> list[dict[str, Any]]:
    executions: list[dict[str, Any]] = stepfunctions.list_executions(stateMachineArn=state_machine_arn)["executions"]
    return executions


def main() -> None:
    """Run every check, destroy what was created, and print the results as rows of docs/aws.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2700.0, help="how long to wait for what AWS does by itself")
    smoke = Smoke(parser.parse_args().seconds)
    try:
        outputs = smoke.deploy()
        smoke.create_endpoint(outputs.endpoint_name)
        with tempfile.TemporaryDirectory() as folder:
            smoke.classify(Path(folder))
            smoke.trigger(outputs, Path(folder) / "0.png")
        smoke.watch_deletion(outputs)
    finally:
        smoke.scones("destroy", "--yes", *([] if smoke.had_bootstrap else ["--bootstrap"]))
        for key, result in smoke.results.items():
            console.print_line(f"| {key} | {time.strftime('%Y-%m-%d')} | {result} |")


if __name__ == "__main__":
    main()
