"""How long the data bucket keeps what: in a versioned bucket, expiry is only the beginning of a deletion."""

import pytest

from orchestration.package import TEMPLATE
from tests.contracts.rendered import load

LOADED = load(TEMPLATE.read_text("utf-8"))
RULES = LOADED["Resources"]["DataBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
PARAMETERS = LOADED["Parameters"]
PROMISED = {
    "capture/": "CaptureRetentionDays",
    "batch-results/": "CaptureRetentionDays",
    "incoming/": "UploadRetentionDays",
    "runs/": "UploadRetentionDays",
    "batches/": "UploadRetentionDays",
}


def days_until_deleted(prefix: str) -> int:
    """The days after which no version of an object is left: S3 follows the shortest of the rules that apply."""
    applying = [rule for rule in RULES if prefix.startswith(rule.get("Prefix", ""))]
    (expiry,) = [rule["ExpirationInDays"]["Ref"] for rule in applying if "ExpirationInDays" in rule]
    noncurrent = min(rule["NoncurrentVersionExpiration"]["NoncurrentDays"] for rule in applying)
    return int(PARAMETERS[expiry]["Default"]) + int(noncurrent)


@pytest.mark.parametrize("prefix", PROMISED)
def test_what_expires_is_deleted_a_day_after_its_promised_days(prefix: str) -> None:
    assert days_until_deleted(prefix) == PARAMETERS[PROMISED[prefix]]["Default"] + 1


def test_an_image_outlives_the_message_that_asks_for_its_review() -> None:
    seconds = LOADED["Resources"]["ReviewQueue"]["Properties"]["MessageRetentionPeriod"]
    assert PARAMETERS["UploadRetentionDays"]["MinValue"] > seconds / 86_400


def test_models_and_labels_do_not_expire() -> None:
    expiring = {rule["Prefix"] for rule in RULES if "ExpirationInDays" in rule}
    assert expiring == set(PROMISED)
