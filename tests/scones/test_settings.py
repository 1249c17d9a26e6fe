from pathlib import Path

import pytest

from scones.errors import UnknownTarget
from scones.settings import Settings, Target


def test_without_an_environment_everything_is_local() -> None:
    assert Settings.from_environment({}).target is Target.LOCAL


def test_the_endpoint_is_named_after_the_stack() -> None:
    assert Settings.from_environment({"SCONES_STACK": "depot"}).default_endpoint_name == "depot-vehicles"


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_is_the_one_that_aws_tools_use(name: str) -> None:
    assert Settings.from_environment({name: "eu-central-1"}).region == "eu-central-1"


def test_an_archive_is_named_by_the_environment() -> None:
    assert Settings.from_environment({"SCONES_CIFAR100": "/data/c.tar.gz"}).archive == Path("/data/c.tar.gz")


def test_an_unknown_target_is_refused_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCONES_TARGET", "mars")
    with pytest.raises(UnknownTarget, match=r"mars.*local, aws"):
        Settings.from_environment()


def test_the_services_are_in_the_checkout() -> None:
    assert sorted(path.name for path in Settings().services.iterdir() if (path / "handler.py").exists()) == [
        "classify",
        "filter",
        "serialize",
    ]


def test_up_takes_the_ports_of_the_environment_where_no_option_names_others() -> None:
    named = Settings.from_environment({"SCONES_LOCALSTACK_PORT": "14566", "SCONES_SAGEMAKER_PORT": "18080"})
    assert (named.localstack_port, named.sagemaker_port) == (14566, 18080)
    assert (named.localstack_url, named.sagemaker_url) == ("http://127.0.0.1:14566", "http://127.0.0.1:18080")
    assert Settings.from_environment({}).localstack_port is None
