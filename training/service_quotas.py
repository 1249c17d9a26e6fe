"""Service quotas of SageMaker instances: new accounts have a quota of 0 for most instance types."""

from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from training.errors import QuotaIsZero

Use = Literal["training job", "spot training job", "endpoint"]


def check_quota(client: Any, instance_type: str, use: Use, region: str) -> float | None:
    """Return how many instances the account may run; None where Service Quotas does not tell. Raises QuotaIsZero."""
    name = f"{instance_type} for {use} usage"
    try:
        for page in client.get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker"):
            for quota in page["Quotas"]:
                if quota["QuotaName"] != name:
                    continue
                if not quota["Value"]:
                    raise QuotaIsZero(name, _console_url(region, quota["QuotaCode"]))
                return float(quota["Value"])
    except (ClientError, BotoCoreError):  # access denied, or no such service: creating the job or endpoint will tell
        return None
    return None


def _console_url(region: str, code: str) -> str:
    return f"https://{region}.console.aws.amazon.com/servicequotas/home/services/sagemaker/quotas/{code}"
