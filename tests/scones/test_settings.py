from pathlib import Path

import pytest

from scones.errors import InvalidSetting, UnknownTarget
from scones.settings import Settings, Target, bypass_proxies


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((f"SCONES_{name}", "") for name in ("TARGET", "STACK", "HOME", "CACHE", "CIFAR100", "LABELS")),
        *((f"SCONES_{part}_{kind}", " ") for part in ("LOCALSTACK", "SAGEMAKER") for kind in ("URL", "PORT")),
        ("SCONES_LOCALSTACK_URL", "127.0.0.1:4610"),
        ("SCONES_LOCALSTACK_URL", "http://"),
        ("SCONES_LOCALSTACK_URL", "http://[::1"),
        ("SCONES_LOCALSTACK_URL", "http://localhost:99999"),
        ("SCONES_SAGEMAKER_URL", "ftp://localhost"),
        ("SCONES_LOCALSTACK_PORT", "abc"),
        ("SCONES_LOCALSTACK_PORT", "0"),
        ("SCONES_LOCALSTACK_PORT", "65536"),
        ("SCONES_SAGEMAKER_PORT", "٣"),
        ("SCONES_STACK", "my stack"),
        ("SCONES_STACK", "-x"),
        ("SCONES_STACK", "Dev"),
        ("AWS_MAX_ATTEMPTS", "many"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_its_variable(name: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=name):
        Settings.from_environment({name: value})


def test_a_url_wins_over_a_port_and_loses_its_last_slash() -> None:
    environment = {"SCONES_LOCALSTACK_URL": "http://localstack:4566/", "SCONES_LOCALSTACK_PORT": "1"}
    assert Settings.from_environment(environment).localstack_url == "http://localstack:4566"


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_the_local_environment_is_never_reached_by_a_proxy(name: str) -> None:
    environment = {name: "intranet.example, 10.0.0.0/8"}
    bypass_proxies(Settings(localstack_url="http://localstack:4566"), environment)
    bypass_proxies(Settings(), environment)
    assert environment["NO_PROXY"] == environment["no_proxy"]
    assert environment["NO_PROXY"].split(",") == [
        "intranet.example", "10.0.0.0/8", "127.0.0.1", "localhost", "::1", "localstack"
    ]  # fmt: skip


def test_the_home_of_a_user_who_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(InvalidSetting, match="SCONES_HOME"):
        Settings.from_environment({"SCONES_HOME": "~nobody-has-this-name/x"})


def test_windows_line_ends_of_a_sourced_file_are_no_part_of_a_value() -> None:
    values = {
        "SCONES_STACK": "mine",
        "SCONES_LABELS": "apple,orange",
        "SCONES_HOME": "/home/x",
        "AWS_REGION": "eu-west-1",
    }
    values |= {
        "SCONES_LOCALSTACK_PORT": "4711",
        "SCONES_SAGEMAKER_URL": "http://127.0.0.1:8080",
        "SCONES_TARGET": "aws",
    }
    with_cr = {name: f"{value}\r" for name, value in values.items()}
    assert Settings.from_environment(with_cr) == Settings.from_environment(values)
