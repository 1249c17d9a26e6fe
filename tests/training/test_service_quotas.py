from typing import Any

import pytest
from botocore.stub import Stubber

from tests.training.clients import client
from training.errors import QuotaIsZero
from training.service_quotas import check_quota

NAME, CODE = "ml.g5.xlarge for training job usage", "L-3F53BF0F"


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
        with pytest.raises(QuotaIsZero, match=rf"{NAME}.*https://eu-west-1.*servicequotas.*{CODE}"):
            check_quota(made, "ml.g5.xlarge", "training job", "eu-west-1")


def test_a_quota_that_nobody_tells_is_none() -> None:
    made = client("service-quotas")
    with Stubber(made) as stub:
        stub.add_client_error("list_service_quotas", "AccessDeniedException")
        assert check_quota(made, "ml.g5.xlarge", "training job", "us-east-1") is None
        stub.add_response("list_service_quotas", quotas(2.0), {"ServiceCode": "sagemaker"})
        assert check_quota(made, "ml.p3.2xlarge", "training job", "us-east-1") is None
