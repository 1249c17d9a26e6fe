"""Whether the account may run an instance type at all: most quotas of new accounts are 0."""

from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from training.errors import QuotaIsZero

Use = Literal["training job", "spot training job", "endpoint"]


def check(client: Any, instance_type: str, use: Use, region: str) -> float | None:
    """Return how many instances the account may have for this; None where nobody says. Raises QuotaIsZero."""
    name = f"{instance_type} for {use} usage"
    try:
        for page in client.get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker"):
            for quota in page["Quotas"]:
                if quota["QuotaName"] != name:
                    continue
                if not quota["Value"]:
                    raise QuotaIsZero(name, _link(region, quota["QuotaCode"]))
                return float(quota["Value"])
    except (ClientError, BotoCoreError):  # not allowed to ask, or no such service: the job itself will tell
        return None
    return None


def _link(region: str, code: str) -> str:
    return f"https://{region}.console.aws.amazon.com/servicequotas/home/services/sagemaker/quotas/{code}"
