import json

from botocore.stub import Stubber

from tests.training.clients import client
from training.instance_prices import instance_price


def product(*dollars: str) -> str:
    terms = {
        f"term-{number}": {"priceDimensions": {"hours": {"pricePerUnit": {"USD": price}}}}
        for number, price in enumerate(dollars)
    }
    return json.dumps({"terms": {"OnDemand": terms}})


def test_the_pricing_api_is_asked_for_the_instance_in_its_region() -> None:
    pricing = client("pricing")
    attributes = {"instanceName": "ml.m5.xlarge", "component": "Hosting", "regionCode": "eu-west-1"}
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in attributes.items()]
    with Stubber(pricing) as stub:
        stub.add_response(
            "get_products",
            {"PriceList": [product("0.25"), product("0.0000000000"), product("0.20")]},
            {"ServiceCode": "AmazonSageMaker", "Filters": filters, "MaxResults": 10},
        )
        price = instance_price(pricing, "ml.m5.xlarge", "Hosting", "eu-west-1")
    assert str(price) == "$0.250 an hour (AWS Pricing API)"


def test_without_the_pricing_api_the_dated_table_is_used() -> None:
    pricing = client("pricing")
    with Stubber(pricing) as stub:
        stub.add_client_error("get_products", "AccessDeniedException")
        price = instance_price(pricing, "ml.m5.xlarge", "Hosting", "eu-west-1")
        stub.add_client_error("get_products", "AccessDeniedException")
        unknown = instance_price(pricing, "ml.unheard.of", "Hosting", "us-east-1")
    assert price.hourly is not None
    assert "list price in us-east-1 of " in str(price)
    assert (unknown.hourly, str(unknown)[:13]) == (None, "price unknown")
