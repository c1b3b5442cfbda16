"""Replaces Django's command: several replicas may start it at once."""

from typing import Any

from django.core.management.commands import migrate

from core.advisory_locks import set_up_alone


class Command(migrate.Command):
    help = migrate.Command.help + " One process at a time does it; the others wait and find it done."

    def handle(self, *args: Any, **options: Any) -> None:
        with set_up_alone():
            super().handle(*args, **options)
