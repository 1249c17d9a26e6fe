"""Training jobs against the real emulator as a process."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from core.waiting import WaiterConfig
from emulation.session import LocalSession
from tests.emulation.fakes.s3 import fake_s3
from tests.emulation.sagemaker.emulator import ROLE, Emulator
from tests.emulation.sagemaker.training_requests import stage
from training import jobs, recipes
from training.errors import DatasetNotFound, JobFailed, JobNotFound, JobTimeout
from training.job_logs import completed_epochs

WAITER = WaiterConfig(timeout_seconds=600, poll_seconds=0.2)
TINY = {"backbone": "tiny", "pretrained": "0", "size": "32", "training_size": "32", "rendered": "0",
        "calibration_folds": "0", "batch": "2"}  # fmt: skip
ENVIRONMENT = jobs.JobEnvironment(role_arn=ROLE, bucket="data", tags={"scones:stack": "test"})


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with fake_s3() as s3:
        running = Emulator(tmp_path_factory.mktemp("jobs") / "state", s3).start()
        stage(s3, "vehicles")
        for name in [name for name in s3.objects if "/validation" in name]:  # as `scones stage` calls it
            s3.objects[name.replace("/validation", "/test")] = s3.objects.pop(name)
        yield running
        running.stop()


@pytest.fixture(scope="module")
def session(emulator: Emulator) -> LocalSession:
    return LocalSession(emulator.s3.url, emulator.url)


def job_spec(name: str, recipe_name: str, **overrides: str) -> jobs.TrainingJobSpec:
    recipe = recipes.get_recipe(recipe_name)
    hyperparameters = recipes.build_hyperparameters(recipe, 4, 2, overrides)
    return jobs.TrainingJobSpec(name, recipe, hyperparameters, "vehicles", recipe.instance_type)


def test_training_images_are_counted_and_a_missing_dataset_is_named(session: LocalSession) -> None:
    assert jobs.count_training_images(session.client("s3"), "data", "vehicles") == 4
    with pytest.raises(DatasetNotFound, match=r"s3://data/nothing/: run `scones stage` first"):
        jobs.count_training_images(session.client("s3"), "data", "nothing")


def test_a_job_of_the_builtin_algorithm_is_created_as_specified(session: LocalSession, emulator: Emulator) -> None:
    jobs.submit(session, job_spec("small-1", "builtin-small", mini_batch_size="2"), ENVIRONMENT)
    job: Any = emulator.client("sagemaker").describe_training_job(TrainingJobName="small-1")
    assert job["HyperParameters"]["num_layers"] == "20"
    assert job["EnableNetworkIsolation"] is True
    assert job["AlgorithmSpecification"]["TrainingImage"].endswith("/image-classification:1")
    channels = {channel["ChannelName"]: channel for channel in job["InputDataConfig"]}
    uris = {name: channel["DataSource"]["S3DataSource"]["S3Uri"] for name, channel in channels.items()}
    assert uris == {
        "train": "s3://data/vehicles/train/",
        "validation": "s3://data/vehicles/test/",
        "train_lst": "s3://data/vehicles/train.lst",
        "validation_lst": "s3://data/vehicles/test.lst",
    }
    assert {channel["ContentType"] for channel in channels.values()} == {"application/x-image"}


def test_images_of_other_classes_are_a_channel_of_our_own_trainer_where_they_are_staged(
    session: LocalSession, emulator: Emulator
) -> None:
    s3 = session.client("s3")
    for name in ("train", "test", "other"):
        s3.put_object(Bucket="data", Key=f"both/{name}.lst", Body=b"0\t0\t0.png\n")
        s3.put_object(Bucket="data", Key=f"both/{name}/0.png", Body=b"no image")
    for name, recipe in (("other-1", "vehicle-net"), ("other-2", "builtin-small")):
        settings = TINY if recipe == "vehicle-net" else {"mini_batch_size": "2"}
        jobs.submit(session, replace(job_spec(name, recipe, **settings), dataset="both"), ENVIRONMENT)
    described = [emulator.client("sagemaker").describe_training_job(TrainingJobName=f"other-{n}") for n in (1, 2)]
    ours, builtin = ({channel["ChannelName"] for channel in job["InputDataConfig"]} for job in described)
    assert ours - builtin == {"other", "other_lst"}


def test_images_too_small_for_transfer_fail_the_job_with_the_reason(session: LocalSession) -> None:
    jobs.submit(session, job_spec("transfer-1", "builtin-transfer", mini_batch_size="2"), ENVIRONMENT)
    statuses: list[str] = []
    with pytest.raises(JobFailed, match=r"32x32 pixels, which is smaller than image_shape 3,224,224") as caught:
        jobs.follow(session, "transfer-1", lambda _: None, WAITER, statuses.append)
    assert caught.value.status == "Failed"
    assert statuses[-1] == "Failed"
    with pytest.raises(JobFailed, match="smaller than image_shape"):
        jobs.completed_status(session, "transfer-1")


def test_a_missing_job_is_named(session: LocalSession) -> None:
    with pytest.raises(JobNotFound, match="'nobody'"):
        jobs.status(session, "nobody")


def test_following_ends_at_the_timeout_and_names_the_command_that_goes_on(session: LocalSession) -> None:
    jobs.submit(session, job_spec("slow-1", "vehicle-net", **TINY), ENVIRONMENT)
    clock = iter([0.0, 11.0])
    waiter = WaiterConfig(timeout_seconds=10, sleep=lambda _: None, clock=lambda: next(clock))
    with pytest.raises(JobTimeout, match="`scones train --attach slow-1`"):
        jobs.follow(session, "slow-1", lambda _: None, waiter)


@pytest.mark.torch
def test_our_network_trains_two_epochs_in_script_mode_and_its_log_is_followed(
    session: LocalSession, emulator: Emulator
) -> None:
    lines: list[str] = []
    jobs.submit(session, job_spec("ours-1", "vehicle-net", **TINY), ENVIRONMENT)
    job = jobs.follow(session, "ours-1", lines.append, WAITER)
    assert job.status == "Completed"
    assert jobs.VALIDATION_ACCURACY in job.metrics
    assert str(job.model_artifact).removeprefix("s3://") in emulator.s3.objects
    assert max(epoch for line in lines if (epoch := completed_epochs(line))) == 2
    assert len([line for line in lines if "Epoch[1] Train-loss" in line]) == 1
