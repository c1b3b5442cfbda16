"""Owing agents the removal of stacks that live on but that they serve no longer, and withdrawing it.

Only a deliberate write owes: it names the pairs whose tie it ended (`agents/wanted/losses.py`). An agent that serves
the stack all the same, or that was never given anything of it, is owed nothing.
"""

from collections.abc import Collection, Iterable
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from agents.models import Agent, AgentOffer, MarkerDelivery, StackReport
from agents.wanted.legs import is_served
from agents.wanted.ties import served_stacks, serving_agents, tied_stacks
from core.prepared import uuid_parameter
from stacks.models import DeploymentObject, Stack
from stacks.services import add_markers_for_agents

# An agent and a stack.
Pair = tuple[UUID, UUID]
# Ids, or a query of ids.
Ids = Collection[UUID] | QuerySet[Stack, UUID] | QuerySet[Agent, UUID]

_WITHDRAWN = """
DELETE FROM agent_marker_deliveries WHERE id IN (
    SELECT d.id FROM agent_marker_deliveries d
    JOIN deployment_objects o ON o.sequence_id = d.marker_id AND o.recipient_id IS NOT NULL
    WHERE {of} AND {is_served})
"""


def lock_agent_row(agent_id: UUID) -> None:
    """Wait for whoever changes what the agent serves, or records what it reports, and keep others waiting."""
    list(Agent.objects.select_for_update(no_key=True).filter(pk=agent_id).values_list("pk"))


def lock_stack_row(stack_id: UUID) -> None:
    """The same for a stack."""
    list(Stack.objects.select_for_update(no_key=True).filter(pk=stack_id).values_list("pk"))


def owe_removals_of_agent(*, agent_id: UUID, stack_ids: Ids) -> None:
    """Owe the agent the removal of those of these live stacks that it was given and does not serve now.

    The agent is locked, and the write that ended the ties is done.
    """
    given = _given(Q(agent=agent_id, stack__in=stack_ids))
    serving = set(served_stacks(agent_id).filter(pk__in=stack_ids).values_list("pk", flat=True))
    _owe(pair for pair in given if pair[1] not in serving)


def owe_removals_of_stack(*, stack: Stack, agent_ids: Ids) -> None:
    """Owe the removal of a locked live stack to those of these agents that were given it and do not serve it now."""
    given = _given(Q(stack=stack, agent__in=agent_ids))
    serving = set(serving_agents(stack).filter(pk__in=agent_ids).values_list("pk", flat=True))
    _owe(pair for pair in given if pair[0] not in serving)


def owe_late_removals(*, agent_id: UUID, stack_ids: Collection[UUID]) -> None:
    """Owe the removal of live stacks on which the agent's first report came after it had left.

    The agent and the stacks are locked. That it has left is known by a removal that it was owed before, or by an offer
    of a stack to which nothing ties it any more. An agent that lacks only a registration may lack it by a setting.
    """
    serving = served_stacks(agent_id).filter(pk__in=stack_ids).values_list("pk", flat=True)
    strange = set(stack_ids) - set(serving)
    if not strange:
        return
    markers = DeploymentObject.objects.filter(recipient_id=agent_id, stack__in=strange)
    left = set(markers.values_list("stack_id", flat=True))
    offers = AgentOffer.objects.filter(agent=agent_id, stack__in=strange).values_list("stack_id", flat=True)
    tied = tied_stacks(agent_id).filter(pk__in=strange).values_list("pk", flat=True)
    left |= set(offers) - set(tied)
    _owe((agent_id, stack_id) for stack_id in left)


def withdraw_removals(
    *, agent_id: UUID | None = None, stack_id: UUID | None = None, generator_id: UUID | None = None
) -> None:
    """Owe no removal of what is served again: by the agent, of the stack, or of the stacks of the generator."""
    of, value = next(
        (column, value)
        for column, value in (
            ("d.agent_id = %s", agent_id),
            ("o.stack_id = %s", stack_id),
            ("o.stack_id IN (SELECT id FROM stacks WHERE generator_id = %s)", generator_id),
        )
        if value is not None
    )
    served = is_served("d.agent_id", "o.stack_id", registration=settings.REQUIRE_REGISTRATION)
    with connection.cursor() as cursor:
        cursor.execute(_WITHDRAWN.format(of=of, is_served=served), cast(Any, [uuid_parameter(value)]))


def _given(near: Q) -> set[Pair]:
    """The pairs of an agent and a live stack that the agent was offered, or has reported on."""
    live = near & Q(agent__deleted_at__isnull=True, stack__deleted_at__isnull=True)
    offers = AgentOffer.objects.filter(live).values_list("agent_id", "stack_id")
    return set(offers.union(StackReport.objects.filter(live).values_list("agent_id", "stack_id")))


def _owe(pairs: Iterable[Pair]) -> None:
    wanted = set(pairs)
    if not wanted:
        return
    owed = MarkerDelivery.objects.filter(
        agent__in={agent_id for agent_id, _ in wanted}, marker__stack__in={stack_id for _, stack_id in wanted}
    )
    missing = wanted - set(owed.values_list("agent_id", "marker__stack_id"))
    markers = add_markers_for_agents(pairs=[(stack_id, agent_id) for agent_id, stack_id in sorted(missing)])
    MarkerDelivery.objects.bulk_create(
        [
            MarkerDelivery(agent_id=marker.recipient_id, marker=marker)
            for marker in markers
            if marker.recipient_id
        ]
    )
