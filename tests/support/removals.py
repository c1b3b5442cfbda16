"""Removals that agents owe."""

from typing import Any

from django.db import transaction

from agents.models import MarkerDelivery
from core import clock
from core.events import SYSTEM
from stacks.services import delete_stack, lock_stack
from sync.services import note_waiting_removals
from tests.factories import make_event, make_object, make_stack, make_target


def make_removal(agent: Any, yaml_content: str = "", *, waits: bool = True) -> MarkerDelivery:
    """The removal of a deleted stack of which the agent has deployed this text; the agent waits for a confirmation."""
    stack = make_stack()
    make_target(agent, stack)
    make_event(agent, make_object(stack, yaml_content) if yaml_content else make_object(stack))
    with transaction.atomic():
        delete_stack(stack=lock_stack(stack.id), actor=SYSTEM)
    removal = MarkerDelivery.objects.get(agent=agent.pk, marker__stack=stack)
    if waits:
        note_waiting_removals(agent_id=agent.pk, object_ids=[removal.marker.id], now=clock.now())
    return removal
