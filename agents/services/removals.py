"""Owing an agent the removal of a live stack that it no longer serves, and withdrawing that removal.

Only a deliberate write makes a removal owed. It names the pairs whose tie it ended (`agents/wanted/losses.py`).
Nothing is owed to an agent that still serves the stack by another tie, or that was never given a version of it.
"""

from collections.abc import Collection, Iterable
from functools import cache
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from agents.models import Agent, AgentOffer, MarkerDelivery, StackReport
from agents.wanted.legs import is_served, served_by_agent
from agents.wanted.ties import served_stacks, serving_agents, tied_stacks
from core.prepared import as_uuid, database_vendor, fetch_all, uuid_parameter
from core.prepared_rows import among, list_parameter
from stacks.models import DeploymentObject, Stack
from stacks.services import add_markers_for_agents

# The ids of an agent and a stack.
Pair = tuple[UUID, UUID]
# Ids, or a query of ids.
Ids = Collection[UUID] | QuerySet[Stack, UUID] | QuerySet[Agent, UUID]

_SERVING = "SELECT m.stack_id FROM ({served}) m WHERE {among}"
_WITHDRAWN = """
DELETE FROM agent_marker_deliveries WHERE id IN (
    SELECT d.id FROM agent_marker_deliveries d
    JOIN deployment_objects o ON o.sequence_id = d.marker_id AND o.recipient_id IS NOT NULL
    WHERE {of} AND {is_served})
"""


def lock_agent_row(agent_id: UUID) -> None:
    """Lock the agent against other writes that change what it serves or record its reports."""
    list(Agent.objects.select_for_update(no_key=True).filter(pk=agent_id).values_list("pk"))


def lock_stack_row(stack_id: UUID) -> None:
    """Lock the stack against other writes that change who serves it."""
    list(Stack.objects.select_for_update(no_key=True).filter(pk=stack_id).values_list("pk"))


def owe_removals_of_agent(*, agent_id: UUID, stack_ids: Ids) -> None:
    """Owe the agent the removal of those of these live stacks that it was given and now does not serve.

    The agent is locked, and the ties have ended already.
    """
    given = _given(Q(agent=agent_id, stack__in=stack_ids))
    serving = set(served_stacks(agent_id).filter(pk__in=stack_ids).values_list("pk", flat=True))
    _owe(pair for pair in given if pair[1] not in serving)


def owe_removals_of_stack(*, stack: Stack, agent_ids: Ids) -> None:
    """Owe the removal of a locked live stack to those of these agents that were given it and now do not serve it."""
    given = _given(Q(stack=stack, agent__in=agent_ids))
    serving = set(serving_agents(stack).filter(pk__in=agent_ids).values_list("pk", flat=True))
    _owe(pair for pair in given if pair[0] not in serving)


def owe_late_removals(*, agent_id: UUID, stack_ids: Collection[UUID]) -> None:
    """Owe the removal of live stacks on which the agent first reported after it had lost them.

    The agent and the stacks are locked. The agent has lost a stack if a removal was owed to it before, or if the stack
    was offered to it and no tie is left. A missing registration is not enough, because a changed setting may be why.
    """
    strange = set(stack_ids) - _serving(agent_id=agent_id, stack_ids=stack_ids)
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
    """Withdraw the removals of stacks that are served again, of this agent, this stack or this generator's stacks."""
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


def replace_removals(*, stack_ids: Collection[UUID], agent_ids: Collection[UUID]) -> None:
    """Withdraw the removals of deleted stacks from agents that are owed the deletion markers, which say the same."""
    MarkerDelivery.objects.filter(
        agent__in=agent_ids, marker__stack__in=stack_ids, marker__recipient_id__isnull=False
    ).delete()


def _serving(*, agent_id: UUID, stack_ids: Collection[UUID]) -> set[UUID]:
    """Those of these live stacks that the live agent serves. Every first report of an agent asks it."""
    parameters = {"agent": uuid_parameter(agent_id), "stacks": list_parameter(stack_ids)}
    found = fetch_all(_serving_statement(database_vendor(), settings.REQUIRE_REGISTRATION), parameters)
    return {as_uuid(stack_id) for (stack_id,) in found}


@cache
def _serving_statement(vendor: str, registration: bool) -> str:  # noqa: FBT001
    served = served_by_agent(vendor, registration=registration)
    return _SERVING.format(served=served, among=among("m.stack_id", "stacks"))


def _given(near: Q) -> set[Pair]:
    """The pairs of an agent and a live stack that was offered to the agent, or on which the agent has reported."""
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
