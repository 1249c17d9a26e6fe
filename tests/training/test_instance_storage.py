import pytest

from training.instance_storage import has_local_storage


@pytest.mark.parametrize(
    "family", ["g5", "g4dn", "g6", "g6e", "p4d", "p4de", "p5", "p3dn", "m5d", "c6id", "r7gd", "trn1"]
)
def test_a_family_with_nvme_refuses_a_key(family: str) -> None:
    assert has_local_storage(f"ml.{family}.xlarge")


@pytest.mark.parametrize("family", ["m5", "c5", "r5", "m7g", "c6i", "p3", "p2", "t3"])
def test_a_family_on_ebs_takes_a_key(family: str) -> None:
    assert not has_local_storage(f"ml.{family}.xlarge")
