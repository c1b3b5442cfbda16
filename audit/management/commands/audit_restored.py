"""`manage.py audit_restored`: after a backup was restored."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from audit.services import open_new_chain
from core import clock
from core.commands import Answer, BrokerCommand, reason_argument


class Command(BrokerCommand):
    help = (
        "Open a new chain of seals after a backup was restored, or after the signing key was lost. It names the newest "
        "seal that was known before, as the log or a webhook told its hash."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--lost-head", required=True, metavar="HASH", help="the hash of the newest known seal"
        )
        parser.add_argument("--reason", required=True, type=reason_argument, help="what happened; is audited")

    def perform(self, options: Mapping[str, Any]) -> Answer:
        seal = open_new_chain(
            lost_head=options["lost_head"], reason=options["reason"], actor=self.actor, now=clock.now()
        )
        return Answer(
            text=f"Seal {seal.number} opens chain {seal.chain}; its hash is {seal.hash}, its key {seal.public_key}.",
            data={"seal": seal.number, "chain": seal.chain, "hash": seal.hash, "public_key": seal.public_key},
        )
