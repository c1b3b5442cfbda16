"""End a key."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from core.commands import VIA, Answer, BrokerCommand, fields, text_argument, uuid_argument
from paks.look_ups import find_pak
from paks.services import revoke_pak


class Command(BrokerCommand):
    help = "End one key at once and for ever. The last usable admin key is spared unless --force is given."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--id", type=uuid_argument, help="the key's id, as list_paks shows it")
        which.add_argument("--short-token", type=text_argument, help="the second of the key's three parts")
        parser.add_argument("--force", action="store_true", help="even the last usable admin key")

    def perform(self, options: Mapping[str, Any]) -> Answer:
        pak = revoke_pak(
            pak_id=options["id"] or find_pak(short_token=options["short_token"]).id,
            actor=self.actor,
            via=VIA,
            spare_last_admin=not options["force"],
        )
        return Answer(
            text="The key has been revoked.\n"
            + fields({"ID": pak.id, "Role": pak.role, "Owner": pak.subject_id, "Name": pak.name}),
            data={
                "id": pak.id,
                "role": pak.role,
                "subject_id": pak.subject_id,
                "name": pak.name,
                "revoked_at": pak.revoked_at,
            },
        )
