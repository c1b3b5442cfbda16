"""`manage.py erase_audit`: removes what the log says of a person."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from audit.exported import PARTS
from audit.models import AuditLog
from audit.services import erase
from core.commands import Answer, BrokerCommand, reason_argument, text_argument


class Command(BrokerCommand):
    help = (
        "Erase for ever who did it (name, address, user agent) or what was done (details, before, after, reason) in "
        "entries of the audit log. The seals still hold, and verification counts what is erased."
    )
    # Each step commits for itself, because there may be many rows.
    changes = False

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument(
            "--actor", type=text_argument, metavar="NAME", help="entries of this user or key name"
        )
        which.add_argument("--sequence", type=int, metavar="N", help="the entry with this sequence")
        parser.add_argument("--part", required=True, choices=sorted(PARTS))
        parser.add_argument("--reason", required=True, type=reason_argument, help="why; is audited")

    def perform(self, options: Mapping[str, Any]) -> Answer:
        rows = AuditLog.objects.all()
        if options["actor"] is not None:
            rows = rows.filter(actor_label=options["actor"])
        else:
            rows = rows.filter(sequence=options["sequence"])
        erased = erase(rows=rows, part=options["part"], reason=options["reason"], actor=self.actor)
        return Answer(text=f"Erased: {erased} entries.", data={"erased": erased})
