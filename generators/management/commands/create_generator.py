"""A new generator."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.commands import VIA, Answer, BrokerCommand, fields, text_argument
from core.errors import UniqueViolation
from generators.services import create_generator
from paks.look_ups import newest_pak_of
from paks.models import Role


class Command(BrokerCommand):
    help = "Create a generator and print its key, once."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--name", required=True, type=text_argument)
        parser.add_argument("--description", type=text_argument)

    def perform(self, options: Mapping[str, Any]) -> Answer:
        try:
            generator, key = create_generator(
                name=options["name"], description=options["description"], actor=self.actor, via=VIA
            )
        except UniqueViolation as error:
            raise CommandError(f"There is a generator named {options['name']!r} already.") from error
        pak = newest_pak_of(role=Role.GENERATOR, subject_id=generator.id)
        return Answer(
            text="Generator created.\n"
            + fields({"ID": generator.id, "Name": generator.name, "Initial PAK": key}),
            data={
                "id": generator.id,
                "name": generator.name,
                "description": generator.description,
                "pak": key,
                "pak_id": pak.id,
                "pak_hash": pak.key_hash,
            },
        )
