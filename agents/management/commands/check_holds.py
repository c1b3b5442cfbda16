"""`manage.py check_holds`: lists the held versions whose hold nobody will end."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.unending_holds import unending_holds


class Command(BaseCommand):
    help = "List the versions that are held though nobody will ever release them. Exit code 1 when there are any."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        found = unending_holds()
        for each in found:
            version = each.hold.version
            self.stdout.write(f"{version} of {version.stack}, held as {each.hold.reason}: {each.why}")
        if found:
            raise CommandError(f"{len(found)} holds will not end by themselves.")
        self.stdout.write("Every hold has somebody who will end it.")
