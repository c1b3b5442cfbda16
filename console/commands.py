"""Django's commands for users of the admin site, audited."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models.signals import post_save

from console.user_events import note_password_change, note_user_created
from core.commands import VIA, command_actor


class SiteUserCommand(BaseCommand):
    """Mixin for a command that creates a user or sets a password. It audits each user that the command saves.

    The audit row is written in the transaction of the change, unless the command asks for the password: no
    transaction may stay open while somebody types.
    """

    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> str | None:
        is_asking = options.get("interactive", True)
        around: AbstractContextManager[object] = nullcontext() if is_asking else transaction.atomic()
        post_save.connect(self._tell, sender=User)
        try:
            with around:
                return super().handle(*args, **options)
        finally:
            post_save.disconnect(self._tell, sender=User)

    def _tell(self, *, instance: User, created: bool, **kwargs: Any) -> None:  # noqa: ARG002  # the signal sends more
        if created:
            note_user_created(user=instance, actor=command_actor(self), via=VIA)
        else:
            note_password_change(username=instance.username, actor=command_actor(self), via=VIA)
