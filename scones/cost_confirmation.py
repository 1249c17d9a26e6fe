"""What must be so before anything that costs money is created on AWS: the quota is there, and somebody agrees."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

from scones import options
from scones.settings import Settings, Target

if TYPE_CHECKING:
    from training.service_quotas import Use


@dataclass(frozen=True)
class Expense:
    """An instance that runs; ``until`` says what ends the cost."""

    instance_type: str
    use: "Use"
    until: str


def agree(session: boto3.Session, settings: Settings, expenses: Sequence[Expense], *, yes: bool) -> None:
    """On AWS look at each quota, show each price and ask; a local target costs nothing. Raises QuotaIsZero."""
    if settings.target is not Target.AWS:
        return
    from training import instance_prices, service_quotas  # noqa: PLC0415

    quotas = session.client("service-quotas")
    for expense in expenses:
        service_quotas.check_quota(quotas, expense.instance_type, expense.use, settings.region)
    pricing = session.client("pricing", region_name=instance_prices.PRICING_REGION)
    lines = []
    for expense in expenses:
        component: instance_prices.Component = "Hosting" if expense.use == "endpoint" else "Training"
        cost = instance_prices.instance_price(pricing, expense.instance_type, component, settings.region)
        lines.append(f"one {expense.instance_type} as {expense.use}, {cost}, {expense.until}")
    options.confirm(f"This runs {'; and '.join(lines)}. Go on?", settings, yes=yes)
