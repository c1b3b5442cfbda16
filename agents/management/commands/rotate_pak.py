"""Replaces keys by a new one. The command is in this app because it has to import all owners of keys, agents too."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser

from agents.management.owners import (
    OWNER_OPTIONS,
    add_owner_arguments,
    find_agent,
    find_generator,
    no_such_agent,
    no_such_generator,
    require_one_way,
)
from agents.services.agents import rotate_agent_pak
from core.commands import VIA, Answer, BrokerCommand, duration_argument, fields
from generators.services import rotate_generator_pak
from paks.look_ups import find_admin_pak, newest_pak_of
from paks.models import Pak, Role
from paks.services import replace_pak

_OPTIONS = OWNER_OPTIONS | {Role.ADMIN: [{"id"}, {"name"}]}


class Command(BrokerCommand):
    help = (
        "Issue a new key, print it once, and end the old ones, at once or after --overlap: every key without limits of "
        "an agent or a generator, or the one admin key that --name or --id (of the key) means."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_owner_arguments(parser)
        parser.add_argument(
            "--overlap",
            type=duration_argument,
            default=timedelta(0),
            help="how long the old keys work on: 30m, 12h, 7d at most; at once without it",
        )

    def perform(self, options: Mapping[str, Any]) -> Answer:
        role = Role(options["role"])
        require_one_way(role, options, _OPTIONS[role])
        rotate = {Role.ADMIN: self._admin, Role.AGENT: self._agent, Role.GENERATOR: self._generator}
        pak, key = rotate[role](options)
        return Answer(
            text=f"Rotated the {role.value}'s key; {_what_becomes_of_old(options['overlap'])}.\n"
            + fields({"ID": pak.subject_id or pak.id, "Name": pak.name, "New PAK": key}),
            data={
                "id": pak.id,
                "role": pak.role,
                "subject_id": pak.subject_id,
                "name": pak.name,
                "pak": key,
                "pak_hash": pak.key_hash,
            },
        )

    def _admin(self, options: Mapping[str, Any]) -> tuple[Pak, str]:
        pak_id = options["id"] or find_admin_pak(name=options["name"]).id
        return replace_pak(
            pak_id=pak_id, role=Role.ADMIN, actor=self.actor, via=VIA, overlap=options["overlap"]
        )

    def _agent(self, options: Mapping[str, Any]) -> tuple[Pak, str]:
        agent = find_agent(options)
        if agent is None:
            raise no_such_agent(options)
        key = rotate_agent_pak(agent=agent, actor=self.actor, via=VIA, overlap=options["overlap"])
        return newest_pak_of(role=Role.AGENT, subject_id=agent.id), key

    def _generator(self, options: Mapping[str, Any]) -> tuple[Pak, str]:
        generator = find_generator(options)
        if generator is None:
            raise no_such_generator(options)
        key = rotate_generator_pak(generator=generator, actor=self.actor, via=VIA, overlap=options["overlap"])
        return newest_pak_of(role=Role.GENERATOR, subject_id=generator.id), key


def _what_becomes_of_old(overlap: timedelta) -> str:
    return f"the old one works for {overlap} more" if overlap else "the old one no longer works"
