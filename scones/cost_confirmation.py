"""Checks quotas, shows prices and asks for confirmation before anything that costs money is created on AWS."""

from collections.abc import Sequence
from dataclasses import dataclass

from scones.context import ADVISORY, CommandContext
from scones.settings import Target
from training import instance_types
from training.instance_types import Use


@dataclass(frozen=True)
class BilledInstances:
    """Instances that are billed, until when, and how many of them the quota must allow at a time."""

    instance_type: str
    use: Use
    billing_note: str
    quota: int = 1


def confirm_cost(context: CommandContext, billed: Sequence[BilledInstances]) -> None:
    """On AWS check each quota, show each price and ask; a local target costs nothing. Raises QuotaTooLow."""
    if context.settings.target is not Target.AWS:
        return
    region, quotas = context.session.region_name, context.client("service-quotas", config=ADVISORY)
    for instances in billed:
        instance_types.check_quota(quotas, instances.instance_type, instances.use, region, instances.quota)
    pricing = context.client("pricing", config=ADVISORY, region_name=instance_types.PRICING_REGION)
    lines = []
    for instances in billed:
        component: instance_types.Component = "Hosting" if instances.use == "endpoint" else "Training"
        price = instance_types.instance_price(pricing, instances.instance_type, component, region)
        lines.append(f"one {instances.instance_type} as {instances.use}, {price}, {instances.billing_note}")
    context.confirm(f"This runs {'; and '.join(lines)}. Continue?")
