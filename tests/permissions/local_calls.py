"""The calls of a local end-to-end run, by the role or policy with which each would be made on AWS.

LocalStack writes down what it serves, requests between its services included; a proxy records what the SageMaker
emulator is sent. Roles that LocalStack assumes name themselves, processes by their user agent, ``app/NAME``
or, for the functions, ``scones-NAME``.
"""

import dataclasses
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from emulation.processes.child_processes import Component
from emulation.processes.components import Addresses, EnvironmentOptions
from emulation.processes.local_environment import LocalEnvironment
from emulation.session import SAGEMAKER_ENDPOINT_VARIABLES, LocalSession
from orchestration.stack_outputs import StackOutputs, read_stack_outputs
from scones.settings import Settings
from tests.cli_runner import User
from tests.emulation.sagemaker.training_requests import image_bytes
from tests.integration.local_deployment import write_images
from tests.journeys.stand_in import stand_in_python
from tests.journeys.test_rehearsal import STAND_IN, TINY
from tests.moto.proxy import Call, Proxy

OPERATOR, DEPLOYMENT, OTHERS, TEST = "OperatorPolicy", "DeploymentRole", "LocalStack itself", "the test itself"
ELSEWHERE = "images-elsewhere"
_PROCESSES = {
    "operator": OPERATOR,
    "test": TEST,
    "serialize": "SerializeRole",
    "classify": "ClassifyRole",
    "filter": "FilterRole",
}
_NAME = "AWS_SDK_UA_APP_ID"
_PHASE = "_phase"


class RecordedEnvironment(LocalEnvironment):
    """A local environment that records; ``calls`` has what its processes have called until now."""

    def __init__(self, folder: Path, options: EnvironmentOptions) -> None:
        super().__init__(options)
        self._log = folder / "calls.jsonl"
        self._proxy: Proxy | None = None
        self._phases: list[tuple[int, str]] = []

    def start(self) -> Any:
        """Start, and lead the commands to the proxy as well."""
        state = dataclasses.replace(super().start(), sagemaker_url=self._sagemaker_proxy.url)
        self._state_directory.write_state(state)
        return state

    def stop(self) -> None:
        """Stop everything, the proxy last."""
        super().stop()
        if self._proxy is not None:
            self._proxy.close()

    @property
    def _sagemaker_proxy(self) -> Proxy:
        assert self._proxy is not None
        return self._proxy

    def mark(self, phase: str) -> None:
        """From here on the emulator acts for the endpoint or for the training job."""
        with self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps({_PHASE: phase}) + "\n")

    def calls(self) -> Mapping[str, list[Call]]:
        """Return the calls by role or policy."""
        lines = [json.loads(line) for line in self._log.read_text("utf-8").splitlines()]
        roles = {line["assumed"]: line["members"]["RoleArn"] for line in lines if "assumed" in line}
        calls: dict[str, list[Call]] = defaultdict(list)
        emulator = ""
        for line in lines:
            emulator = line.get(_PHASE, emulator)
            if _PHASE not in line:
                caller = _caller(line, roles, emulator)
                calls[caller].append(Call(line["service"], line["operation"], line["members"]))
        for call in self._sagemaker_proxy.calls:
            calls[_PROCESSES.get(_app(call.agent), OTHERS)].append(call)
        assert not self._sagemaker_proxy.failures, self._sagemaker_proxy.failures
        return calls

    def _components(self, python: Path, folders: Mapping[str, Path], addresses: Addresses) -> Iterator[Component]:
        self._proxy = Proxy(addresses.sagemaker_url, {})
        for component in super()._components(python, folders, addresses):
            environment = {**component.environment, _NAME: component.name}
            command = component.command
            if component.name == "localstack":
                program = Path(__file__).with_name("recorded_localstack.py")
                command = [str(python), "-I", "-u", str(program), str(self._log)]
            else:
                environment |= dict.fromkeys(SAGEMAKER_ENDPOINT_VARIABLES.values(), self._proxy.url)
            yield dataclasses.replace(component, environment=environment, command=command)


def _app(agent: str) -> str:
    match = re.search(r"\b(?:app/|scones-)(\w+)", agent)
    return match[1] if match else ""


def _caller(line: Mapping[str, Any], roles: Mapping[str, str], emulator: str) -> str:
    if role := roles.get(line["access_key"]):
        match = re.search(r"-(\w+Role)-", role)
        assert match, role
        return match[1]
    if line["resource_provider"]:
        return DEPLOYMENT
    app = _app(line["agent"])
    return emulator if app == "sagemaker" else _PROCESSES.get(app, OTHERS)


def recorded(folder: Path, cache: Path) -> Mapping[str, list[Call]]:
    """Go through a stack's life with the commands, and return its calls."""
    settings = Settings(home=folder / "home", cache=cache)
    python = stand_in_python(folder / "python", STAND_IN)
    options = EnvironmentOptions(settings.home, cache, settings.services, training_python=python)
    environment = RecordedEnvironment(folder, options)
    someone = User(settings.home, {"SCONES_CACHE": str(cache), _NAME: "operator"}, folder)
    with pytest.MonkeyPatch.context() as patch, environment as state, someone.with_server() as user:
        patch.setenv(_NAME, "test")
        session = LocalSession(state.localstack_url, state.sagemaker_url)
        _live(environment, session, settings, user, folder)
        return environment.calls()


def _live(
    environment: RecordedEnvironment, session: LocalSession, settings: Settings, user: User, folder: Path
) -> None:
    def scones(line: str, code: int = 0) -> str:
        done = user.run(*line.split())
        assert done.returncode == code, f"scones {line}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    scones(f"deploy --yes --parameter ImageBucket={ELSEWHERE}")
    scones("deploy --yes --threshold 0.9")
    scones("rollback --yes")
    outputs = read_stack_outputs(session.client("cloudformation"), settings.stack)
    _upload(session, outputs, folder / "images")
    environment.mark("TrainingRole")
    words = " ".join(f"--hyperparameter {name}={value}" for name, value in TINY.items())
    job = json.loads(scones(f"train --yes --json --epochs 2 --dataset few {words}"))["job"]
    environment.mark("EndpointRole")
    scones("endpoint deploy --yes --ttl 4h --max 2")
    scones(f"endpoint deploy --yes --ttl 4h --job {job}")
    scones(f"run images s3://{ELSEWHERE}/a.png", code=1)  # one of the images is empty
    scones("run images/000000.png --threshold 1", code=1)  # for review
    _start_elsewhere(session, outputs)
    (folder / "manifest.jsonl").write_text(json.dumps({"s3_bucket": ELSEWHERE, "s3_key": "a.png"}) + "\n")
    scones("batch manifest.jsonl --threshold 1")
    scones("batch images")
    _start_by_event(session, outputs)
    for line in ("endpoint status", "review", "redrive --dry-run", "report", "monitor --publish"):
        scones(line)
    scones("redrive --wait", code=1)  # the empty image fails again
    _end_on_schedule(session, outputs)
    scones("destroy --yes --bootstrap")


def _upload(session: LocalSession, outputs: StackOutputs, folder: Path) -> None:
    """Write images, one of four broken; put one into another bucket, and a dataset of four into the stack's."""
    write_images(folder, 4, broken=0.25)
    s3 = session.client("s3")
    s3.create_bucket(Bucket=ELSEWHERE)
    s3.put_object(Bucket=ELSEWHERE, Key="a.png", Body=(folder / "000000.png").read_bytes())
    s3.put_object(Bucket=ELSEWHERE, Key="manifest.json", Body=json.dumps([{"s3_key": "a.png"}]).encode())
    for part in ("train", "test"):
        lines = "".join(f"{index}\t{index % 2}\t{index}.png\n" for index in range(4))
        s3.put_object(Bucket=outputs.data_bucket, Key=f"datasets/few/{part}.lst", Body=lines.encode())
        for index in range(4):
            s3.put_object(Bucket=outputs.data_bucket, Key=f"datasets/few/{part}/{index}.png", Body=image_bytes())


def _start_elsewhere(session: LocalSession, outputs: StackOutputs) -> None:
    """Start batches of what another bucket has, as other clients than ours do; images and manifest are there."""
    machines = session.client("stepfunctions")
    by_manifest = {"manifest_bucket": ELSEWHERE, "manifest_key": "manifest.json"}
    for payload in ({"prefix": "a"}, by_manifest):
        text = json.dumps({"s3_bucket": ELSEWHERE, **payload})
        arn = machines.start_execution(stateMachineArn=outputs.batch_state_machine_arn, input=text)["executionArn"]
        _wait(lambda arn=arn: machines.describe_execution(executionArn=arn)["status"] != "RUNNING")  # type: ignore[misc]
        assert machines.describe_execution(executionArn=arn)["status"] == "SUCCEEDED"


def _start_by_event(session: LocalSession, outputs: StackOutputs) -> None:
    machines, s3 = session.client("stepfunctions"), session.client("s3")

    def count() -> int:
        return len(machines.list_executions(stateMachineArn=outputs.state_machine_arn)["executions"])

    before = count()
    s3.put_object(Bucket=outputs.data_bucket, Key="incoming/a.png", Body=image_bytes())
    _wait(lambda: count() > before)


def _end_on_schedule(session: LocalSession, outputs: StackOutputs) -> None:
    """Bring the endpoint's end forward to now, and wait for it."""
    scheduler, sagemaker = session.client("scheduler"), session.client("sagemaker")
    name = f"delete-{outputs.endpoint_name}"
    planned = scheduler.get_schedule(Name=name)
    now = f"at({datetime.now(UTC) - timedelta(seconds=1):%Y-%m-%dT%H:%M:%S})"
    unchanged = {key: planned[key] for key in ("Target", "FlexibleTimeWindow")}
    scheduler.update_schedule(Name=name, ScheduleExpression=now, **unchanged)
    _wait(lambda: not sagemaker.list_endpoints()["Endpoints"])


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)
