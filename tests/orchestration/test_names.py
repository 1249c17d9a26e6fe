import re

import pytest

from orchestration.errors import InvalidEndpointName, InvalidStackName
from orchestration.names import check_endpoint_name, check_stack_name
from orchestration.package import TEMPLATE
from tests.contracts.rendered import load

TEMPLATE_TEXT = load(TEMPLATE.read_text("utf-8"))


@pytest.mark.parametrize("name", ["scones", "a", "prod-2", "s" * 35])
def test_a_name_that_makes_a_bucket_is_accepted(name: str) -> None:
    check_stack_name(name, "us-east-1")
    bucket = TEMPLATE_TEXT["Resources"]["DataBucket"]["Properties"]["BucketName"]["Sub"]
    values = {"AWS::StackName": name, "AWS::AccountId": "123456789012", "AWS::Region": "us-east-1"}
    made = re.sub(r"\$\{([\w:]+)\}", lambda match: values[match[1]], bucket)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", made)


@pytest.mark.parametrize("name", ["Scones", "s" * 36, "2prod", "my_stack", "prod-", "-prod", "a--b", ""])
def test_a_name_that_makes_no_bucket_is_refused_with_the_rule(name: str) -> None:
    with pytest.raises(InvalidStackName, match=r"at most 35 lower-case letters"):
        check_stack_name(name, "us-east-1")


def test_a_longer_region_leaves_a_shorter_name() -> None:
    check_stack_name("s" * 30, "ap-southeast-1")
    with pytest.raises(InvalidStackName, match="at most 30"):
        check_stack_name("s" * 31, "ap-southeast-1")


@pytest.mark.parametrize("name", ["prod-vehicles", "v", "0" * 53, "a--b"])
def test_an_endpoint_name_is_what_the_template_allows(name: str) -> None:
    check_endpoint_name(name)
    parameter = TEMPLATE_TEXT["Parameters"]["EndpointName"]
    assert re.fullmatch(parameter["AllowedPattern"], name)
    assert len(name) <= parameter["MaxLength"]


@pytest.mark.parametrize("name", ["Vehicles", "v_1", "-v", "v-", "v" * 54, ""])
def test_another_endpoint_name_is_refused_here_and_by_the_template(name: str) -> None:
    with pytest.raises(InvalidEndpointName, match="at most 53 lower-case letters"):
        check_endpoint_name(name)
    parameter = TEMPLATE_TEXT["Parameters"]["EndpointName"]
    assert len(name) > parameter["MaxLength"] or not re.fullmatch(parameter["AllowedPattern"], name)
