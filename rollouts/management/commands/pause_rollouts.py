"""Pauses all rollouts. It is for use after a backup is restored, when nobody knows what the fleet has got since."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from core import clock
from core.commands import Answer, BrokerCommand, reason_argument
from rollouts.services.control import pause_all
from rollouts.services.transitions import Cause


class Command(BrokerCommand):
    help = "Pause every rollout that is under way. Run it after restoring a backup, before the workers start."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--reason", type=reason_argument, default="The database was restored from a backup.", help="why"
        )

    def perform(self, options: Mapping[str, Any]) -> Answer:
        paused = pause_all(reason=options["reason"], cause=Cause.RESTORED, actor=self.actor, now=clock.now())
        self.note(f"Paused {paused} rollouts.")
        return Answer(text="", data={"paused": paused})
