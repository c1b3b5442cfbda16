"""Makes one more key. The command is in this app because it has to import all owners of keys, agents too."""

from collections.abc import Mapping
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
from agents.services.agents import create_agent, issue_agent_pak
from core.commands import (
    VIA,
    Answer,
    BrokerCommand,
    UsageError,
    end_argument,
    fields,
    text_argument,
    uuids_argument,
    words_argument,
)
from generators.services import create_generator
from paks.look_ups import newest_pak_of
from paks.models import Pak, Role
from paks.services import issue_pak
from stacks.key_limits import issue_generator_key

_OPTIONS = OWNER_OPTIONS | {Role.ADMIN: [{"name"}]}
_HINT = " Give --create to create it."


class Command(BrokerCommand):
    help = "Issue a key and print it, once: an admin's, or one more for an agent or a generator."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_owner_arguments(parser)
        parser.add_argument(
            "--expires",
            type=end_argument,
            help="when the key ends: a date, at whose end in UTC, or a date and time",
        )
        parser.add_argument("--read-only", action="store_true", help="an admin's key that changes nothing")
        parser.add_argument(
            "--stacks", type=uuids_argument, help="limit a generator's key to the stacks of these ids: a,b"
        )
        parser.add_argument(
            "--labels",
            type=words_argument,
            help="limit a generator's key to stacks that carry one of these labels: a,b",
        )
        parser.add_argument(
            "--key-name", type=text_argument, help="the name of a generator's key with limits"
        )
        parser.add_argument(
            "--create",
            action="store_true",
            help="create the agent or generator when there is none of that name",
        )

    def perform(self, options: Mapping[str, Any]) -> Answer:
        role = Role(options["role"])
        require_one_way(role, options, _OPTIONS[role])
        if options["create"] and (role == Role.ADMIN or options["id"]):
            raise UsageError("--create goes with the name of an agent or a generator.")
        if options["read_only"] and role != Role.ADMIN:
            raise UsageError("--read-only goes with an admin's key.")
        has_limits = options["stacks"] is not None or options["labels"] is not None
        if has_limits and not (options["stacks"] or options["labels"]):
            raise UsageError("--stacks and --labels must name something.")
        if (has_limits or options["key_name"]) and (role != Role.GENERATOR or options["create"]):
            raise UsageError("--stacks, --labels and --key-name go with a key of a generator that there is.")
        if options["create"] and options["expires"]:
            raise UsageError(
                "--expires goes with an owner that there is: the first key of a new one has no end."
            )
        issue = {
            Role.ADMIN: self._for_admin,
            Role.AGENT: self._for_agent,
            Role.GENERATOR: self._for_generator,
        }
        pak, key, created = issue[role](options)
        headline = (
            f"Created the {role.value} and its key." if created else f"Created a key for the {role.value}."
        )
        return Answer(
            text=f"{headline}\n"
            + fields(
                {"ID": pak.id, "Role": pak.role, "Owner": pak.subject_id, "Name": pak.name}
                | ({"Ends": pak.ends_at} if pak.ends_at else {})
                | {"PAK": key}
            ),
            data={
                "id": pak.id,
                "role": pak.role,
                "subject_id": pak.subject_id,
                "name": pak.name,
                "pak": key,
                "pak_hash": pak.key_hash,
                "created_owner": created,
            }
            # Left out where it would say nothing.
            | ({"ends_at": pak.ends_at} if pak.ends_at else {})
            | ({"read_only": True} if pak.is_read_only else {})
            | ({"limits": pak.limits} if pak.limits else {}),
        )

    def _for_admin(self, options: Mapping[str, Any]) -> tuple[Pak, str, bool]:
        pak, key = issue_pak(
            role=Role.ADMIN,
            subject_id=None,
            name=options["name"],
            actor=self.actor,
            via=VIA,
            expires_at=options["expires"],
            is_read_only=options["read_only"],
        )
        return pak, key, False

    def _for_agent(self, options: Mapping[str, Any]) -> tuple[Pak, str, bool]:
        agent = find_agent(options)
        if agent:
            pak, key = issue_agent_pak(agent=agent, actor=self.actor, via=VIA, expires_at=options["expires"])
            return pak, key, False
        if not options["create"]:
            raise no_such_agent(options, _HINT)
        agent, key = create_agent(
            name=options["name"], cluster_name=options["cluster_name"], actor=self.actor, via=VIA
        )
        return newest_pak_of(role=Role.AGENT, subject_id=agent.id), key, True

    def _for_generator(self, options: Mapping[str, Any]) -> tuple[Pak, str, bool]:
        generator = find_generator(options)
        if generator:
            pak, key = issue_generator_key(
                generator=generator,
                name=options["key_name"],
                stack_ids=options["stacks"] or (),
                labels=options["labels"] or (),
                expires_at=options["expires"],
                actor=self.actor,
                via=VIA,
            )
            return pak, key, False
        if not options["create"]:
            raise no_such_generator(options, _HINT)
        generator, key = create_generator(name=options["name"], description=None, actor=self.actor, via=VIA)
        return newest_pak_of(role=Role.GENERATOR, subject_id=generator.id), key, True
