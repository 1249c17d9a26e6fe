"""Constraints of AWS's service model mean the same here."""

import botocore.session
import pytest

from emulation.sagemaker import validation


@pytest.mark.parametrize(
    ("member", "value", "good"),
    [
        ("Key", "größe µ_.:/=+-@", True),
        ("Key", "no#hash", False),
        ("Key", "", False),
        ("Key", "tab\t", False),
        ("Value", "", True),
    ],
)
def test_javas_patterns_mean_the_same_here(member: str, value: str, good: bool) -> None:
    shape = botocore.session.get_session().get_service_model("sagemaker").shape_for("Tag")
    result = list(validation.violations({"Key": "k", "Value": "v", member: value}, shape))
    assert (result == []) is good
