"""Training jobs, seen through boto3: scripts really run, in the environment of SageMaker's script mode."""

import io
import json
import signal
import tarfile
import uuid
from collections.abc import Callable
from typing import Any

import botocore.session
import psutil
import pytest
from botocore.exceptions import ClientError

from tests.emulation.fakes.s3 import FakeS3
from tests.emulation.sagemaker.emulator import Emulator, wait_until
from tests.emulation.sagemaker.training_requests import (
    BUILTIN,
    ENOUGH,
    channel,
    ended,
    logged,
    request,
    run,
    script,
    stage,
    states,
    status,
)

ARN = "arn:aws:sagemaker:us-east-1:000000000000:training-job"
WAITS = """
import os, pathlib, signal, sys, time
checkpoint = pathlib.Path(sys.argv[2], "steps") if "--checkpoint-dir" in sys.argv else None
pathlib.Path(os.environ["SM_MODEL_DIR"], "half").write_text("x")
if checkpoint:
    if checkpoint.exists():
        print("going on after", checkpoint.read_text(), flush=True)
        sys.exit(0)
    checkpoint.write_text("7")
print("waiting", flush=True)
time.sleep(3600)
"""


@pytest.fixture
def job() -> str:
    return f"job-{uuid.uuid4().hex[:10]}"


def refused(call: Any, **arguments: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["Error"]["Code"], response["Error"]["Message"], response["ResponseMetadata"]["HTTPStatusCode"]


def unpacked(s3: FakeS3, key: str) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(s3.objects[key])) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}  # type: ignore[union-attr]


def test_a_job_trains_on_its_channels_and_leaves_its_model_metrics_and_log(stub_emulator: Emulator, job: str) -> None:
    source = """
import json, os, pathlib, sys
model = pathlib.Path(os.environ["SM_MODEL_DIR"])
images = sorted(path.name for path in pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]).iterdir())
(model / "seen.json").write_text(json.dumps({"images": images, "argv": sys.argv[1:], "env": dict(os.environ)}))
pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "extra").write_text("more")
for epoch, accuracy in enumerate(("0.5", "nan", "0.75")):
    print(f"Epoch[{epoch}] Validation-accuracy={accuracy}")
"""
    definition = {"Name": "validation:accuracy", "Regex": "Validation-accuracy=(.*)"}
    described = run(
        stub_emulator,
        job,
        source,
        {"epochs": "3", "name": '"two words"'},
        InputDataConfig=stage(stub_emulator.s3, job),
        Environment={"OWN": "value", "LD_PRELOAD": "/nowhere"},
        algorithm={"MetricDefinitions": [definition]},
    )

    assert described["TrainingJobStatus"] == "Completed", described
    assert described["TrainingJobArn"] == f"{ARN}/{job}"
    assert states(described) == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all("EndTime" in transition for transition in described["SecondaryStatusTransitions"])
    assert [(result["MetricName"], result["Value"]) for result in described["FinalMetricDataList"]] == [
        ("validation:accuracy", 0.75)
    ]
    assert described["BillableTimeInSeconds"] == described["TrainingTimeInSeconds"] >= 1
    assert described["CreationTime"] <= described["TrainingStartTime"] < described["TrainingEndTime"]
    assert described["OutputDataConfig"]["KmsKeyId"] == ""  # the SageMaker SDK reads it when it attaches to a job
    assert described["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://out/jobs/{job}/output/model.tar.gz"
    assert logged(stub_emulator.s3, job)[-1] == "Epoch[2] Validation-accuracy=0.75"
    assert unpacked(stub_emulator.s3, f"out/jobs/{job}/output/output.tar.gz") == {"extra": b"more"}
    seen = json.loads(unpacked(stub_emulator.s3, f"out/jobs/{job}/output/model.tar.gz")["seen.json"])
    assert seen["images"] == [f"{index}.png" for index in range(4)]
    assert seen["argv"] == ["--epochs", "3", "--name", "two words"]
    assert json.loads(seen["env"]["SM_HPS"]) == {"epochs": 3, "name": "two words"}
    assert seen["env"]["SM_HP_EPOCHS"] == "3"
    assert seen["env"]["OMP_WAIT_POLICY"] == "PASSIVE"
    assert json.loads(seen["env"]["SM_CHANNELS"]) == ["train", "train_lst", "validation", "validation_lst"]
    assert (seen["env"]["OWN"], "LD_PRELOAD" in seen["env"]) == ("value", False)
    wait_until(lambda: not (stub_emulator.state_dir / "training" / job).exists())


def test_a_description_holds_what_the_service_model_knows_and_requires(stub_emulator: Emulator, job: str) -> None:
    run(stub_emulator, job, "print(1)", Tags=[{"Key": "project", "Value": "scones"}])
    sagemaker = stub_emulator.client("sagemaker")
    shape = botocore.session.get_session().get_service_model("sagemaker").operation_model("DescribeTrainingJob")
    record = json.loads((stub_emulator.state_dir / "records" / "training-job" / f"{job}.json").read_text())
    assert set(record["described"]) <= set(shape.output_shape.members)
    described = sagemaker.describe_training_job(TrainingJobName=job)
    assert set(shape.output_shape.required_members) <= set(described)
    assert sagemaker.list_tags(ResourceArn=f"{ARN}/{job}")["Tags"] == [{"Key": "project", "Value": "scones"}]


def test_a_script_that_fails_is_quoted_as_aws_quotes_it(stub_emulator: Emulator, job: str) -> None:
    described = run(stub_emulator, job, "raise RuntimeError('no luck')", {"epochs": "2"})
    assert described["TrainingJobStatus"] == "Failed"
    assert described["FailureReason"] == (
        'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "RuntimeError: no luck"\n'
        'Command "python entry.py --epochs 2", exit code: 1'
    )
    assert states(described)[-1] == "Failed"
    assert "RuntimeError: no luck" in logged(stub_emulator.s3, job)


def test_an_algorithm_that_is_not_emulated_is_named(stub_emulator: Emulator, job: str) -> None:
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
    create = stub_emulator.client("sagemaker").create_training_job
    code, message, _ = refused(create, **request(job, image, HyperParameters={"num_round": "10"}))
    assert (code, "Not emulated: the algorithm of linear-learner" in message) == ("ValidationException", True)
    described = run(stub_emulator, job, "print(1)", image=image)
    assert described["TrainingJobStatus"] == "Completed", described


def test_a_program_outside_its_archive_is_not_run(stub_emulator: Emulator, job: str) -> None:
    described = run(stub_emulator, job, "", {"sagemaker_program": "../../../../../../etc/passwd"})
    assert described["FailureReason"].startswith("AlgorithmError: ExecuteUserScriptError: No such file")


def test_what_a_script_writes_to_its_failure_file_is_the_reason(stub_emulator: Emulator, job: str) -> None:
    source = "import os, pathlib; pathlib.Path(os.environ['SM_OUTPUT_DIR'], 'failure').write_text('gave up'); exit(3)"
    assert run(stub_emulator, job, source)["FailureReason"] == "AlgorithmError: gave up, exit code: 3"


def test_a_job_over_its_time_is_stopped_and_its_model_kept(stub_emulator: Emulator, job: str) -> None:
    for seconds in (1, 10, 100, 1000):  # until there was time to begin
        name = f"{job}-{seconds}"
        described = run(stub_emulator, name, WAITS, seconds=seconds)
        assert (described["TrainingJobStatus"], described["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
        if "waiting" in logged(stub_emulator.s3, name):
            break
    assert unpacked(stub_emulator.s3, f"out/jobs/{name}/output/model.tar.gz") == {"half": b"x"}


def test_a_job_is_stopped_at_work_and_in_the_queue_and_only_once(stub_emulator: Emulator, job: str) -> None:
    sagemaker = stub_emulator.client("sagemaker")
    names = [f"{job}-{index}" for index in range(3)]
    for name in names:
        sagemaker.create_training_job(**request(name, HyperParameters=script(stub_emulator.s3, name, WAITS)))
    wait_until(lambda: all("waiting" in logged(stub_emulator.s3, name) for name in names[:2]))
    assert status(stub_emulator, names[2]) == ("InProgress", "Starting")
    assert refused(sagemaker.delete_training_job, TrainingJobName=names[2])[0] == "ResourceInUse"
    for name in reversed(names):
        sagemaker.stop_training_job(TrainingJobName=name)
    assert status(stub_emulator, names[2]) == ("Stopped", "Stopped")
    first = ended(stub_emulator, names[0])
    assert first["TrainingJobStatus"] == "Stopped"
    assert states(first)[-3:] == ["Stopping", "Uploading", "Stopped"]
    assert unpacked(stub_emulator.s3, f"out/jobs/{names[0]}/output/model.tar.gz") == {"half": b"x"}
    assert refused(sagemaker.stop_training_job, TrainingJobName=names[0]) == (
        "ValidationException",
        "The request was rejected because the training job is in status Stopped.",
        400,
    )
    wait_until(lambda: status(stub_emulator, names[1])[0] == "Stopped")
    sagemaker.delete_training_job(TrainingJobName=names[1])
    listed = sagemaker.list_training_jobs(
        NameContains=job, StatusEquals="Stopped", SortBy="Name", SortOrder="Ascending"
    )
    assert [result["TrainingJobName"] for result in listed["TrainingJobSummaries"]] == [names[0], names[2]]


def test_a_killed_emulator_takes_its_job_along_and_goes_on_from_the_checkpoint(
    make_emulator: Callable[..., Emulator], s3: FakeS3, job: str
) -> None:
    emulator = make_emulator("--stub-model").start()
    more: dict[str, Any] = {
        "CheckpointConfig": {"S3Uri": "s3://checkpoints/a"},
        "HyperParameters": script(s3, job, WAITS),
    }
    emulator.client("sagemaker").create_training_job(**request(job, **more))
    wait_until(lambda: "waiting" in logged(s3, job))
    wait_until(lambda: "checkpoints/a/steps" in s3.objects)
    assert emulator.process is not None
    children = psutil.Process(emulator.process.pid).children(recursive=True)
    emulator.stop(signal.SIGKILL)
    assert len(children) >= 2
    assert psutil.wait_procs(children, timeout=600)[1] == []
    emulator.start()
    described = ended(emulator, job)
    assert described["TrainingJobStatus"] == "Completed"
    assert "Restarting" in states(described)
    assert "going on after 7" in logged(s3, job)


def test_names_are_unique_and_unknown_ones_are_not_found(stub_emulator: Emulator, job: str) -> None:
    sagemaker = stub_emulator.client("sagemaker")
    run(stub_emulator, job, "print(1)")
    code, message, http = refused(sagemaker.create_training_job, **request(job.upper()))
    assert (code, http) == ("ResourceInUse", 400)
    assert message.endswith(f"a training job with this name already exists ({ARN}/{job})")
    for call in (sagemaker.describe_training_job, sagemaker.stop_training_job):
        assert refused(call, TrainingJobName=f"{job}-x") == (
            "ValidationException",
            "Requested resource not found.",
            400,
        )


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"InputDataConfig": [channel("train", "s3://data/nothing-here/")]}, "No S3 objects found under S3 URL"),
        ({"InputDataConfig": [channel("train", "s3://code/"), channel("train", "s3://code/")]}, "must be unique"),
        ({"algorithm": {"MetricDefinitions": [{"Name": "m", "Regex": "("}]}}, "invalid regular expression"),
        (
            {"image": BUILTIN, "algorithm": {"MetricDefinitions": [{"Name": "m", "Regex": "."}]}},
            "You can't override the metric definitions for Amazon SageMaker algorithms.",
        ),
        ({"algorithm": {"TrainingInputMode": "Pipe"}, "InputDataConfig": [channel("a", "s3://code/")]}, "Not emulated"),
        ({"ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 1}}, "one instance"),
        ({"OutputDataConfig": {"S3OutputPath": "https://x/y"}}, "S3 location is invalid"),
        ({"EnableManagedSpotTraining": True}, "MaxWaitTimeInSeconds must be specified"),
    ],
)
def test_what_cannot_be_trained_is_refused_at_once(
    stub_emulator: Emulator, job: str, more: dict[str, Any], complaint: str
) -> None:
    code, message, http = refused(stub_emulator.client("sagemaker").create_training_job, **request(job, **more))
    assert (code, http) == ("ValidationException", 400)
    assert complaint in message


def test_a_manifest_names_the_objects_of_its_channel(stub_emulator: Emulator, job: str) -> None:
    stage(stub_emulator.s3, job)
    entries = [{"prefix": f"s3://data/{job}/"}, "train/1.png", "validation.lst"]
    stub_emulator.s3.objects[f"data/{job}/manifest"] = json.dumps(entries).encode()
    source = "import os, pathlib; print(sorted(os.listdir(os.environ['SM_CHANNEL_A'] + '/train')))"
    parameters = channel("a", f"s3://data/{job}/manifest", S3DataType="ManifestFile")
    assert run(stub_emulator, job, source, InputDataConfig=[parameters])["TrainingJobStatus"] == "Completed"
    assert "['1.png']" in logged(stub_emulator.s3, job)


@pytest.mark.parametrize("key", ["a//b.png", "a/../../../b.png"])
def test_a_key_that_is_no_path_in_its_channel_fails_the_job(stub_emulator: Emulator, job: str, key: str) -> None:
    entries = [{"prefix": f"s3://data/{job}/"}, key]
    stub_emulator.s3.objects[f"data/{job}/manifest"] = json.dumps(entries).encode()
    parameters = channel("a", f"s3://data/{job}/manifest", S3DataType="ManifestFile")
    reason = run(stub_emulator, job, "", InputDataConfig=[parameters])["FailureReason"]
    assert reason.startswith("ClientError: Data download failed:S3 key: ")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"HyperParameters": {"num_classes": "2"}}, "'num_training_samples' is a required property"),
        ({"HyperParameters": {**ENOUGH, "optimizer": "magic"}}, "'magic' is not one of ['sgd', "),
        ({"HyperParameters": {**ENOUGH, "epochs": "2.5"}}, "'2.5' is not of type 'integer'"),
        ({"HyperParameters": {**ENOUGH, "learning_rate": "7"}}, "7 is not between 0 and 1"),
        ({"HyperParameters": {**ENOUGH, "dropout": "1"}}, "Additional properties are not allowed ('dropout' unexp"),
        ({"HyperParameters": {**ENOUGH, "num_layers": "17"}}, "'17' is not one of ['18', "),
        ({"drop": "validation_lst"}, "Failed to validate input data configuration. (caused by ValidationError)"),
        ({"content_type": "text/csv"}, "'text/csv' is not one of ['application/x-image'"),
        ({"HyperParameters": {**ENOUGH, "image_shape": "3,64,64"}}, "smaller than image_shape 3,64,64"),
        ({"listing": "0 0 0.png\n"}, "line 1 of train.lst: it has 1 fields between tabs"),
        ({"listing": "0\t2\t0.png\n"}, "has label 2, but num_classes is 2"),
        ({"listing": "0\t1\tnone.png\n"}, "no image 'none.png' in the channel"),
        ({"listing": ""}, "train.lst is empty"),
        ({"image": b"no image"}, "cannot be decoded as an image"),
    ],
)
def test_the_built_in_algorithm_refuses_what_it_cannot_read(
    stub_emulator: Emulator, job: str, change: dict[str, Any], complaint: str
) -> None:
    channels = stage(stub_emulator.s3, job, change.get("listing"), change.get("image"))
    channels = [each for each in channels if each["ChannelName"] != change.get("drop")]
    channels[0]["ContentType"] = change.get("content_type", "application/x-image")
    hyperparameters = {"mini_batch_size": "2", **change.get("HyperParameters", ENOUGH)}
    parameters = request(job, BUILTIN, HyperParameters=hyperparameters, InputDataConfig=channels)
    stub_emulator.client("sagemaker").create_training_job(**parameters)
    described = ended(stub_emulator, job)
    assert described["TrainingJobStatus"] == "Failed"
    assert described["FailureReason"].startswith("ClientError: ")
    assert complaint in described["FailureReason"]
    assert described["AlgorithmSpecification"]["MetricDefinitions"]
