import json
from typing import Any

import pytest
from botocore.stub import Stubber

from tests.training.clients import client
from training.errors import QuotaTooLow
from training.instance_types import check_quota, has_local_storage, instance_price

NAME, CODE = "ml.g5.xlarge for training job usage", "L-3F53BF0F"


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


def quotas(value: float) -> dict[str, Any]:
    other = {"QuotaName": "ml.g5.xlarge for endpoint usage", "QuotaCode": "L-1", "Value": 9.0}
    return {"Quotas": [other, {"QuotaName": NAME, "QuotaCode": CODE, "Value": value}]}


def test_a_quota_is_found_by_instance_type_and_use() -> None:
    made = client("service-quotas")
    with Stubber(made) as stub:
        stub.add_response("list_service_quotas", quotas(2.0), {"ServiceCode": "sagemaker"})
        assert check_quota(made, "ml.g5.xlarge", "training job", "us-east-1") == 2.0


def test_a_quota_of_0_is_refused_with_the_page_to_raise_it() -> None:
    made = client("service-quotas")
    with Stubber(made) as stub:
        stub.add_response("list_service_quotas", quotas(0.0), {"ServiceCode": "sagemaker"})
        with pytest.raises(QuotaTooLow, match=rf"{NAME}.*https://eu-west-1.*servicequotas.*{CODE}"):
            check_quota(made, "ml.g5.xlarge", "training job", "eu-west-1")


def test_a_quota_that_nobody_tells_is_none() -> None:
    made = client("service-quotas")
    with Stubber(made) as stub:
        stub.add_client_error("list_service_quotas", "AccessDeniedException")
        assert check_quota(made, "ml.g5.xlarge", "training job", "us-east-1") is None
        for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
            stub.add_response(operation, quotas(2.0), {"ServiceCode": "sagemaker"})
        assert check_quota(made, "ml.p3.2xlarge", "training job", "us-east-1") is None


def test_a_quota_that_was_never_changed_is_among_the_defaults() -> None:
    made = client("service-quotas")
    with Stubber(made) as stub:
        stub.add_response("list_service_quotas", {"Quotas": []}, {"ServiceCode": "sagemaker"})
        stub.add_response("list_aws_default_service_quotas", quotas(0.0), {"ServiceCode": "sagemaker"})
        with pytest.raises(QuotaTooLow, match="is 0 and 1 are needed"):
            check_quota(made, "ml.g5.xlarge", "training job", "us-east-1")


def test_a_quota_for_fewer_instances_than_are_needed_is_refused() -> None:
    made = client("service-quotas")
    with Stubber(made) as stub:
        stub.add_response("list_service_quotas", quotas(1.0), {"ServiceCode": "sagemaker"})
        with pytest.raises(QuotaTooLow, match="is 1 and 2 are needed"):
            check_quota(made, "ml.g5.xlarge", "training job", "us-east-1", needed=2)


@pytest.mark.parametrize(
    "family", ["g5", "g4dn", "g6", "g6e", "p4d", "p4de", "p5", "p3dn", "m5d", "c6id", "r7gd", "trn1"]
)
def test_a_family_with_nvme_refuses_a_key(family: str) -> None:
    assert has_local_storage(f"ml.{family}.xlarge")


@pytest.mark.parametrize("family", ["m5", "c5", "r5", "m7g", "c6i", "p3", "p2", "t3"])
def test_a_family_on_ebs_takes_a_key(family: str) -> None:
    assert not has_local_storage(f"ml.{family}.xlarge")
