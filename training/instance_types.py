"""Instance types of SageMaker: what they cost, how many of them an account may run, and which have local storage.

Prices are from the AWS Pricing API, or from a small dated table if the API does not respond. New accounts have a quota
of 0 for most instance types.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from training.errors import QuotaTooLow

Component = Literal["Training", "Hosting"]
PRICING_REGION = "us-east-1"
"""One of the few regions that have the Pricing API; it lists the prices of all regions."""
_TABLE = Path(__file__).with_name("instance_prices.json")
Use = Literal["training job", "spot training job", "endpoint"]
# Quotas with a value of the account's own, then AWS's defaults, which alone have those that were never changed.
_LISTS = ("list_service_quotas", "list_aws_default_service_quotas")
# Families with a d behind the generation, such as m5d, and those of accelerators, all of which have NVMe but P3 and P2.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html
_LOCAL_STORAGE = re.compile(r"ml\.([a-z]\d+[a-z]*d[a-z]*|g[4-9][a-z]*|gr\d+|p[4-9][a-z]*|trn\d+[a-z]*|inf2)\.")


@dataclass(frozen=True)
class Price:
    """US dollars an hour, or None if unknown, and the source of the figure."""

    hourly: float | None
    source: str

    def __str__(self) -> str:
        return self.source if self.hourly is None else f"${self.hourly:.3f} an hour ({self.source})"


def instance_price(client: Any, instance_type: str, component: Component, region: str) -> Price:
    """Return the on-demand price of one instance."""
    attributes = {"instanceName": instance_type, "component": component, "regionCode": region}
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in attributes.items()]
    try:
        response = client.get_products(ServiceCode="AmazonSageMaker", Filters=filters, MaxResults=10)
    except (ClientError, BotoCoreError):
        return _list_price(instance_type)
    prices = [
        price for product in response["PriceList"] if (price := _on_demand_price(json.loads(product))) is not None
    ]
    return Price(max(prices), "AWS Pricing API") if prices else _list_price(instance_type)


def _on_demand_price(product: dict[str, Any]) -> float | None:
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            return float(dimension["pricePerUnit"]["USD"]) or None
    return None


def _list_price(instance_type: str) -> Price:
    table = json.loads(_TABLE.read_text("utf-8"))
    hourly = table["hourly"].get(instance_type)
    if hourly is None:
        return Price(None, f"price unknown: see {table['source']}")
    return Price(float(hourly), f"list price in {table['region']} of {table['as_of']}")


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


def has_local_storage(instance_type: str) -> bool:
    """Tell whether the hardware encrypts the storage of this instance type: SageMaker refuses a KMS key for it then."""
    return _LOCAL_STORAGE.match(instance_type) is not None
