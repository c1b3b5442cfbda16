"""The names of what events are about, as they are now."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from agents.models import Agent
from generators.models import Generator
from stacks.models import Stack
from webhooks.notices import Names


def names_for(data: Iterable[Mapping[str, object]]) -> Names:
    """The names for the data of all these events, deleted rows included: one query for each kind of row in them."""
    ids: dict[str, set[UUID]] = {"agent_id": set(), "stack_id": set(), "generator_id": set()}
    for each in data:
        for name, found in ids.items():
            if each.get(name) is not None:
                found.add(UUID(str(each[name])))
    return Names(
        agents=_names(Agent.objects.all(), ids["agent_id"]),
        stacks=_names(Stack.objects.all(), ids["stack_id"]),
        generators=_names(Generator.objects.all(), ids["generator_id"]),
    )


def _names(rows: QuerySet[Any], ids: set[UUID]) -> dict[UUID, str]:
    return dict(rows.filter(pk__in=ids).values_list("pk", "name")) if ids else {}
