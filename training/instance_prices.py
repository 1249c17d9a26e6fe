"""What an hour of an instance costs: by the Pricing API where it answers, else by a small dated table."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

Component = Literal["Training", "Hosting"]
PRICING_REGION = "us-east-1"
"""One of the few regions in which the Pricing API is; it knows the prices of all."""
_TABLE = Path(__file__).with_name("instance_prices.json")


@dataclass(frozen=True)
class Price:
    """US dollars an hour, and who says so; None where nobody knows."""

    hourly: float | None
    source: str

    def __str__(self) -> str:
        return self.source if self.hourly is None else f"${self.hourly:.3f} an hour ({self.source})"


def price(client: Any, instance_type: str, component: Component, region: str) -> Price:
    """Return what an hour of the instance costs."""
    wanted = {"instanceName": instance_type, "component": component, "regionCode": region}
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in wanted.items()]
    try:
        answer = client.get_products(ServiceCode="AmazonSageMaker", Filters=filters, MaxResults=10)
    except (ClientError, BotoCoreError):
        return _listed(instance_type)
    found = [cost for product in answer["PriceList"] if (cost := _on_demand(json.loads(product))) is not None]
    return Price(max(found), "AWS Pricing API") if found else _listed(instance_type)


def _on_demand(product: dict[str, Any]) -> float | None:
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            return float(dimension["pricePerUnit"]["USD"]) or None
    return None


def _listed(instance_type: str) -> Price:
    table = json.loads(_TABLE.read_text("utf-8"))
    hourly = table["hourly"].get(instance_type)
    if hourly is None:
        return Price(None, f"price unknown: see {table['source']}")
    return Price(float(hourly), f"list price in {table['region']} of {table['as_of']}")
