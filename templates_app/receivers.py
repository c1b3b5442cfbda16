"""Receivers of signals from the apps below."""

from typing import Any

from django.dispatch import receiver

from core import clock
from generators.models import Generator
from generators.signals import generator_deleted
from templates_app.models import StackTemplate


@receiver(generator_deleted, dispatch_uid="templates_app.delete_templates_of_generator")
def delete_templates_of_generator(generator: Generator, **kwargs: Any) -> None:
    now = clock.now()
    StackTemplate.objects.active().filter(generator=generator).update(deleted_at=now, updated_at=now)
