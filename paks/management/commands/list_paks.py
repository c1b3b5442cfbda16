"""Which keys there are. Never a key itself, nor its hash."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from core.commands import Answer, ReadingCommand, table
from paks.look_ups import listed_paks
from paks.models import Pak, Role
from paks.subjects import subject_names

_HEADINGS = {
    "id": "ID",
    "role": "ROLE",
    "name": "NAME",
    "short_token": "SHORT TOKEN",
    "subject_id": "OWNER ID",
    "subject_name": "OWNER",
    "created_at": "CREATED",
    "last_used_at": "LAST USED",
    "revoked_at": "REVOKED",
}
# What is shown only if it is asked for.
_ADDRESSES = {"last_used_address": "FROM"}
# What only some keys have.
_FURTHER = {"ends_at": "ENDS", "read_only": "READ-ONLY", "limits": "LIMITS"}


class Command(ReadingCommand):
    help = "List the usable keys, or with --all the revoked ones too."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--role", choices=Role.values, help="only keys of this role")
        parser.add_argument(
            "--addresses", action="store_true", help="also the address from which each was last used"
        )
        parser.add_argument("--all", action="store_true", help="revoked keys too")

    def perform(self, options: Mapping[str, Any]) -> Answer:
        role = Role(options["role"]) if options["role"] else None
        paks = list(listed_paks(role=role, include_revoked=options["all"]))
        owners = {
            (owner_role, subject_id): name
            for owner_role in (Role.AGENT, Role.GENERATOR)
            for subject_id, name in subject_names(
                owner_role, [pak.subject_id for pak in paks if pak.role == owner_role and pak.subject_id]
            ).items()
        }
        rows = [
            {
                "id": pak.id,
                "role": pak.role,
                "name": pak.name,
                "short_token": pak.short_token or None,
                "subject_id": pak.subject_id,
                "subject_name": owners.get((Role(pak.role), pak.subject_id)) if pak.subject_id else None,
                "created_at": pak.created_at,
                "last_used_at": pak.last_used_at,
                "revoked_at": pak.revoked_at,
                **({"last_used_address": pak.last_used_address or None} if options["addresses"] else {}),
                **_further(pak),
            }
            for pak in paks
        ]
        headings = _HEADINGS | (_ADDRESSES if options["addresses"] else {}) | _FURTHER
        lines = [[row.get(name) for name in headings] for row in rows]
        return Answer(text=table(list(headings.values()), lines), data=rows)


def _further(pak: Pak) -> dict[str, object]:
    """What only some keys have. It is left out for the others."""
    further = {
        "ends_at": pak.ends_at,
        "read_only": pak.is_read_only,
        "limits": pak.limits,
    }
    return {name: value for name, value in further.items() if value}
