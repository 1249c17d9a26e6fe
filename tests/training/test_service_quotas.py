from typing import Any

import pytest
from botocore.stub import Stubber

from tests.training.clients import client
from training.errors import QuotaTooLow
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
