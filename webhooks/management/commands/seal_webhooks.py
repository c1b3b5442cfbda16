"""`manage.py seal_webhooks`: encrypts webhooks with a new key."""

from collections.abc import Mapping
from typing import Any

from core.commands import VIA, Answer, BrokerCommand
from webhooks.services.subscriptions import seal_anew


class Command(BrokerCommand):
    help = (
        "Encrypt what is stored of webhooks with the first key in BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY, so that the "
        "others can be removed from it."
    )

    def perform(self, options: Mapping[str, Any]) -> Answer:
        sealed = seal_anew(actor=self.actor, via=VIA)
        return Answer(text=f"Sealed anew: {sealed} webhooks.", data={"sealed": sealed})
