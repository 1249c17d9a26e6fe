"""A function's container is found by the name of its image."""

import pytest

from emulation.localstack.scones_localstack.errors import UnknownFunction
from emulation.localstack.scones_localstack.function_container import FunctionContainers, function_of


@pytest.mark.parametrize(
    "image",
    [
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/scones/serialize:sha-1234",
        "localhost:5000/scones/serialize",
        "scones/serialize@sha256:" + "0" * 64,
        "serialize:latest",
    ],
)
def test_a_function_is_named_by_the_last_part_of_its_repository(image: str) -> None:
    assert function_of(image) == "serialize"


def test_containers_are_listed_by_name() -> None:
    containers = FunctionContainers("serialize=http://127.0.0.1:1/, classify=http://classify:8080")
    assert containers.for_image("x/serialize:1").url == "http://127.0.0.1:1"
    assert containers.for_image("x/classify:1").url == "http://classify:8080"
    assert containers.for_image("x/classify:2") is containers.for_image("y/classify")


def test_an_image_without_a_container_is_named_with_those_that_have_one() -> None:
    with pytest.raises(UnknownFunction, match=r"the image x/filter:1: .*filter=URL.*lists serialize"):
        FunctionContainers("serialize=http://127.0.0.1:1").for_image("x/filter:1")
    with pytest.raises(UnknownFunction, match="lists none"):
        FunctionContainers("").for_image("x/filter:1")
