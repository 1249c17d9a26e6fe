"""Service quotas of SageMaker instances: new accounts have a quota of 0 for most instance types."""

from collections.abc import Iterator
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from training.errors import QuotaTooLow

Use = Literal["training job", "spot training job", "endpoint"]
# Quotas with a value of the account's own, then AWS's defaults, which alone have those that were never changed.
_LISTS = ("list_service_quotas", "list_aws_default_service_quotas")


def check_quota(client: Any, instance_type: str, use: Use, region: str, needed: int = 1) -> float | None:
    """Return how many instances the account may run, or None if Service Quotas does not tell. Raises QuotaTooLow."""
    name = f"{instance_type} for {use} usage"
    try:
        quota = next((each for each in _quotas(client) if each["QuotaName"] == name), None)
    except (ClientError, BotoCoreError):  # access denied, or no such service: creating the job or endpoint will tell
        return None
    if quota is None:
        return None
    if quota["Value"] < needed:
        raise QuotaTooLow(name, quota["Value"], needed, _console_url(region, quota["QuotaCode"]))
    return float(quota["Value"])


def _quotas(client: Any) -> Iterator[dict[str, Any]]:
    for operation in _LISTS:
        for page in client.get_paginator(operation).paginate(ServiceCode="sagemaker"):
            yield from page["Quotas"]


def _console_url(region: str, code: str) -> str:
    return f"https://{region}.console.aws.amazon.com/servicequotas/home/services/sagemaker/quotas/{code}"
