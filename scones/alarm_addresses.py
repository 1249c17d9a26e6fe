"""The e-mail addresses that alarms notify: AWS asks each for a confirmation and sends it nothing before."""

from collections.abc import Mapping
from typing import Any

from scones import console


def alarm_addresses(sns: Any, topic_arn: str) -> dict[str, bool]:
    """Return every address that is subscribed to the alarms' topic, and whether its subscription is confirmed."""
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
    return {
        each["Endpoint"]: each["SubscriptionArn"] != "PendingConfirmation"
        for page in pages
        for each in page["Subscriptions"]
    }


def note_unconfirmed(addresses: Mapping[str, bool]) -> None:
    """Say which addresses receive no alarm because their subscription has not been confirmed."""
    for address, is_confirmed in addresses.items():
        if not is_confirmed:
            console.note(f"{address} receives no alarm yet: confirm the subscription in the e-mail from AWS", "yellow")
