"""Before anything that costs money is created on AWS: the quota allows it, and the user agrees to its price."""

from collections.abc import Sequence
from dataclasses import dataclass

from scones.context import CommandContext
from scones.sessions import ADVISORY
from scones.settings import Target
from training import instance_prices, service_quotas
from training.service_quotas import Use


@dataclass(frozen=True)
class Expense:
    """Instances that are billed; ``until`` says what ends the cost, ``quota`` how many are needed at a time."""

    instance_type: str
    use: Use
    until: str
    quota: int = 1


def confirm_cost(context: CommandContext, expenses: Sequence[Expense]) -> None:
    """On AWS check each quota, show each price and ask; a local target costs nothing. Raises QuotaTooLow."""
    if context.settings.target is not Target.AWS:
        return
    region, quotas = context.session.region_name, context.client("service-quotas", config=ADVISORY)
    for expense in expenses:
        service_quotas.check_quota(quotas, expense.instance_type, expense.use, region, expense.quota)
    pricing = context.client("pricing", config=ADVISORY, region_name=instance_prices.PRICING_REGION)
    lines = []
    for expense in expenses:
        component: instance_prices.Component = "Hosting" if expense.use == "endpoint" else "Training"
        price = instance_prices.instance_price(pricing, expense.instance_type, component, region)
        lines.append(f"one {expense.instance_type} as {expense.use}, {price}, {expense.until}")
    context.confirm(f"This runs {'; and '.join(lines)}. Continue?")
