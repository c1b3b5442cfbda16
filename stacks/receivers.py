"""Receivers of signals from the apps below."""

from typing import Any

from django.dispatch import receiver

from core.events import Actor
from generators.models import Generator
from generators.signals import generator_deleted
from stacks.models import Stack
from stacks.services import delete_stack


@receiver(generator_deleted, dispatch_uid="stacks.delete_stacks_of_generator")
def delete_stacks_of_generator(generator: Generator, actor: Actor, **kwargs: Any) -> None:
    for stack in Stack.objects.active().owned_by(generator.id).select_for_update(no_key=True).order_by("id"):
        delete_stack(stack=stack, actor=actor, in_cascade=True)
