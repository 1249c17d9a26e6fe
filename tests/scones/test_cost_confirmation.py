"""Before anything costs money: quota, price, and somebody's word. AWS itself is Stubbed, and holds to its models."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import typer
from botocore.stub import ANY, Stubber

from scones import cost_confirmation
from scones.context import CommandContext
from scones.settings import Settings, Target
from training.errors import QuotaTooLow

TRAINING = cost_confirmation.BilledInstances("ml.g5.xlarge", "training job", "billed by the second until the job ends")
SERVING = cost_confirmation.BilledInstances("ml.m5.xlarge", "endpoint", "until it is deleted in 4h")


class Session:
    """Hands out the two clients that are questions; any other call would be one too many."""

    region_name = "us-east-1"

    def __init__(self) -> None:
        made: Any = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")
        self.clients = {name: made.client(name) for name in ("service-quotas", "pricing")}
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}

    def client(self, name: str, **_: Any) -> Any:
        return self.clients[name]

    def quota(self, name: str, value: float) -> None:
        entry = {"QuotaName": name, "QuotaCode": "L-1", "Value": value}
        self.stubs["service-quotas"].add_response(
            "list_service_quotas", {"Quotas": [entry]}, {"ServiceCode": "sagemaker"}
        )

    def price(self, dollars: str) -> None:
        dimension = {"priceDimensions": {"y": {"pricePerUnit": {"USD": dollars}}}}
        product = json.dumps({"terms": {"OnDemand": {"x": dimension}}})
        questions = {"ServiceCode": "AmazonSageMaker", "Filters": ANY, "MaxResults": ANY}
        self.stubs["pricing"].add_response("get_products", {"PriceList": [product]}, questions)


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session()
    with made.stubs["service-quotas"], made.stubs["pricing"]:
        yield made
        for stub in made.stubs.values():
            stub.assert_no_pending_responses()


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every question that the command asks; the answer is always no."""
    asked: list[str] = []

    def refuse(question: str, **_: Any) -> None:
        asked.append(question)
        raise typer.Abort

    monkeypatch.setattr(typer, "confirm", refuse)
    return asked


def context(session: object, target: Target, *, yes: bool = False) -> CommandContext:
    made: Any = session
    return CommandContext(Settings(target=target), yes=yes, open_session=lambda _: made)


def test_on_aws_both_prices_are_shown_and_no_is_no(session: Session, questions: list[str]) -> None:
    session.quota("ml.g5.xlarge for training job usage", 1)
    session.quota("ml.m5.xlarge for endpoint usage", 4)
    session.price("1.408")
    session.price("0.23")
    with pytest.raises(typer.Abort):
        cost_confirmation.confirm_cost(context(session, Target.AWS), [TRAINING, SERVING])
    training = (
        "one ml.g5.xlarge as training job, $1.408 an hour (AWS Pricing API), billed by the second until the job ends"
    )
    serving = "one ml.m5.xlarge as endpoint, $0.230 an hour (AWS Pricing API), until it is deleted in 4h"
    assert questions == [f"This runs {training}; and {serving}. Continue?"]


def test_a_quota_of_nothing_ends_it_before_anything_is_asked(session: Session, questions: list[str]) -> None:
    session.quota("ml.g5.xlarge for training job usage", 0)
    with pytest.raises(QuotaTooLow, match=r"ml\.g5\.xlarge for training job usage.*servicequotas.*L-1"):
        cost_confirmation.confirm_cost(context(session, Target.AWS, yes=True), [TRAINING])
    assert questions == []


def test_locally_nothing_is_looked_up_and_nothing_is_asked(session: Session, questions: list[str]) -> None:
    cost_confirmation.confirm_cost(context(session, Target.LOCAL), [TRAINING, SERVING])
    assert questions == []
