"""What logging in tells, by the signals of django-axes; and the groups, which follow the permissions there are."""

from dataclasses import replace
from typing import Any

from axes.signals import user_locked_out
from django.apps import apps
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.http import HttpRequest

from console.groups import sync_groups
from console.user_events import note_lock_out
from core.admin import admin_actor
from paks.actors import ActorType


@receiver(user_locked_out, dispatch_uid="console.note_lock_out")
def tell_lock_out(request: HttpRequest, username: str | None, **kwargs: Any) -> None:
    """Audit a lock-out once, when it begins. Attempts during the wait are refused without being counted or audited, so
    that a flood of guesses does not become a flood of rows.
    """
    failures: int | None = getattr(request, "axes_failures_since_start", None)
    if failures is not None:
        actor = replace(admin_actor(request), type=ActorType.SYSTEM, label="")
        note_lock_out(typed=username or "", failures=failures, actor=actor)


# Sent for one app after the other. This app is the last of INSTALLED_APPS, so that all permissions exist.
@receiver(post_migrate, sender=apps.get_app_config("console"), dispatch_uid="console.sync_groups")
def sync_groups_after_migration(**kwargs: Any) -> None:
    sync_groups()
