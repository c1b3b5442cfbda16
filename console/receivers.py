"""Audits lock-outs, by the signals of django-axes."""

from dataclasses import replace
from typing import Any

from axes.signals import user_locked_out
from django.dispatch import receiver
from django.http import HttpRequest

from console.user_events import note_lock_out
from core.admin import admin_actor
from core.events import ActorType


@receiver(user_locked_out, dispatch_uid="console.note_lock_out")
def tell_lock_out(request: HttpRequest, username: str | None, **kwargs: Any) -> None:
    """Audit a lock-out once, when it begins. Attempts during the wait are refused without being counted or audited, so
    that a flood of guesses does not become a flood of rows.
    """
    failures: int | None = getattr(request, "axes_failures_since_start", None)
    if failures is not None:
        actor = replace(admin_actor(request), type=ActorType.SYSTEM, label="")
        note_lock_out(typed=username or "", failures=failures, actor=actor)
