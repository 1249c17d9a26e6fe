"""Hourly prices of instances: from the AWS Pricing API, or from a small dated table if the API does not respond."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

Component = Literal["Training", "Hosting"]
PRICING_REGION = "us-east-1"
"""One of the few regions that have the Pricing API; it lists the prices of all regions."""
_TABLE = Path(__file__).with_name("instance_prices.json")


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
