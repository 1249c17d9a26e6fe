"""How the emulator starts, and what stops it from starting."""

import base64
import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from emulation.sagemaker.__main__ import main
from tests.emulation.fakes.s3 import FakeS3
from tests.emulation.sagemaker.emulator import CAPTURE_BUCKET, ROOT, Emulator, model_archive, wait_until


def test_an_occupied_port_is_one_clear_line(emulator: Emulator, tmp_path: Path) -> None:
    options = ["--port", str(emulator.port), "--state-dir", str(tmp_path / "other"), "--stub-model"]
    command = [sys.executable, "-m", "emulation.sagemaker", *options]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert f"cannot listen on 127.0.0.1:{emulator.port}" in ended.stderr
    assert emulator.healthy()


def test_a_state_directory_has_one_emulator(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "0", "--state-dir", str(emulator.state_dir), "--stub-model"]) == 1
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1
    assert "another emulator uses --state-dir" in complaint


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--state-dir", "{file}/x", "--stub-model"], "cannot write to --state-dir"),
        (["--state-dir", "{tmp}", "--port", "70000", "--stub-model"], "cannot listen on"),
        (["--state-dir", "{tmp}", "--host", "nowhere.invalid", "--stub-model"], "cannot listen on"),
        (["--state-dir", "{tmp}", "--port", "0"], "--s3-endpoint"),
    ],
)
def test_what_cannot_start_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    (tmp_path / "file").write_text("")
    assert main([argument.format(file=tmp_path / "file", tmp=tmp_path) for argument in arguments]) == 1
    assert complaint in capsys.readouterr().err


def test_no_other_user_can_read_the_state_directory(emulator: Emulator) -> None:
    assert emulator.state_dir.stat().st_mode & 0o777 == 0o700


def test_a_number_that_is_no_probability_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--state-dir", str(tmp_path), "--stub-model", "1.5"])
    assert "1.5 is not a probability" in capsys.readouterr().err


def test_more_endpoints_than_the_account_may_have_are_refused(stub_emulator: Emulator) -> None:
    stub_emulator.model("m")
    stub_emulator.config("c", "m")
    sagemaker = stub_emulator.client("sagemaker")

    def fill() -> None:
        for index in range(21):
            sagemaker.create_endpoint(EndpointName=f"full-{index}", EndpointConfigName="c")

    with pytest.raises(sagemaker.exceptions.ResourceLimitExceeded):
        fill()
    for endpoint in sagemaker.list_endpoints(NameContains="full-", MaxResults=100)["Endpoints"]:
        sagemaker.delete_endpoint(EndpointName=endpoint["EndpointName"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_emulator_that_ends_loses_nothing_leaves_no_process_and_comes_back(
    make_emulator: Callable[..., Emulator], s3: FakeS3, number: int
) -> None:
    emulator = make_emulator("--capture-seconds", "3600").start()
    emulator.endpoint("vehicles", model_archive(answer=[0.6, 0.4]))
    emulator.model("broken", model_archive(exit=1))
    emulator.config("broken", "broken")
    sagemaker, runtime = emulator.client("sagemaker"), emulator.client("sagemaker-runtime")
    sagemaker.create_endpoint(EndpointName="broken", EndpointConfigName="broken")
    emulator.wait("broken", "Failed")
    created = sagemaker.describe_endpoint(EndpointName="vehicles")["CreationTime"]
    for index in range(30):
        runtime.invoke_endpoint(EndpointName="vehicles", Body=str(index).encode())
    assert captured(s3) == []
    assert emulator.process is not None
    servers = psutil.Process(emulator.process.pid).children(recursive=True)
    sagemaker.create_endpoint(EndpointName="late", EndpointConfigName="vehicles")

    emulator.stop(number)

    assert emulator.process.returncode == (0 if number == signal.SIGTERM else -signal.SIGKILL)
    assert len(servers) == 1
    assert psutil.wait_procs(servers, timeout=600)[1] == []
    assert captured(s3) == (list(range(30)) if number == signal.SIGTERM else [])
    emulator.start(emulator.port)
    seen = set()

    def answers() -> bool:
        try:
            response = emulator.client("sagemaker-runtime").invoke_endpoint(EndpointName="vehicles", Body=b"30")
            return bool(response["Body"].read() == b"[0.6, 0.4]")
        except ClientError as error:
            seen.add(error.response["Error"]["Code"])
            return False

    wait_until(answers)
    assert seen <= {"ServiceUnavailable"}
    assert emulator.wait("vehicles")["CreationTime"] == created
    assert emulator.status("broken") == "Failed"
    emulator.wait("late")
    wait_until(lambda: captured(s3) == list(range(30)))


def test_an_endpoint_comes_back_where_s3_has_forgotten_its_model_and_leaves_nothing_when_deleted(
    make_emulator: Callable[..., Emulator], s3: FakeS3
) -> None:
    emulator = make_emulator("--capture-seconds", "3600").start()
    emulator.endpoint("vehicles")
    emulator.stop()
    s3.objects.clear()
    emulator.start()
    emulator.wait("vehicles")
    emulator.client("sagemaker-runtime").invoke_endpoint(EndpointName="vehicles", Body=b"7")
    assert emulator.process is not None
    process, models = psutil.Process(emulator.process.pid), emulator.state_dir / "models"
    assert len(list(models.iterdir())) == 1
    sagemaker = emulator.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName="vehicles")
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="vehicles", WaiterConfig={"Delay": 0.1})
    assert captured(s3) == [7]
    assert process.children(recursive=True) == []
    wait_until(lambda: list(models.iterdir()) == [])
    assert list((emulator.state_dir / "records" / "endpoint").iterdir()) == []


def test_killed_under_load_it_has_every_call_that_was_answered(
    make_emulator: Callable[..., Emulator], s3: FakeS3
) -> None:
    emulator = make_emulator().start()
    emulator.endpoint("vehicles")
    answered: list[int] = []
    numbers = iter(range(100_000))

    def load() -> None:
        runtime = emulator.client("sagemaker-runtime", read_timeout=600)
        with contextlib.suppress(ClientError, BotoCoreError):
            for number in numbers:
                runtime.invoke_endpoint(EndpointName="vehicles", Body=str(number).encode())
                answered.append(number)

    with ThreadPoolExecutor(16) as pool:
        clients = [pool.submit(load) for _ in range(16)]
        wait_until(lambda: len(answered) >= 500)
        emulator.stop(signal.SIGKILL)
        for client in clients:
            client.result()
    emulator.start()
    emulator.wait("vehicles")
    wait_until(lambda: emulator.health()["captures"]["files_waiting"] == 0)
    result = captured(s3)
    assert set(answered) <= set(result)
    assert len(result) == len(set(result)) <= len(answered) + 16


def captured(s3: FakeS3) -> list[int]:
    result = [json.loads(line)["captureData"]["endpointInput"]["data"] for line in s3.lines(CAPTURE_BUCKET)]
    return sorted(int(base64.b64decode(data)) for data in result)
