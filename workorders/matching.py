"""Who may claim what: the one home of the rule that routes work orders to agents.

An agent may claim an order that names it, or shares a label with it, or shares an annotation (key and value).
Registrations play no part.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from agents.models import Agent, AgentAnnotation, AgentLabel
from workorders.models import WorkOrder, WorkOrderAnnotation, WorkOrderLabel, WorkOrderTarget


def pending_for(agent_id: UUID) -> QuerySet[WorkOrder]:
    """The pending orders the agent may claim.

    The agent's own few labels are read first and stand in the query as constants: then PostgreSQL knows from its
    statistics how rare they are, and reads only their orders, also where one label is on almost every order.
    """
    labels = list(AgentLabel.objects.filter(agent_id=agent_id).values_list("label", flat=True))
    pairs = AgentAnnotation.objects.filter(agent_id=agent_id).values_list("key", "value")
    matched: QuerySet[Any, Any] = WorkOrderTarget.objects.filter(agent_id=agent_id).values("work_order_id")
    matched = matched.union(
        WorkOrderLabel.objects.filter(label__in=labels).values("work_order_id"),
        *(
            WorkOrderAnnotation.objects.filter(key=key, value=value).values("work_order_id")
            for key, value in pairs
        ),
    )
    return WorkOrder.objects.pending().filter(_is_live(agent_id), pk__in=matched)


def claimable_by(agent_id: UUID) -> Q:
    """The same rule as a condition on one order, for the guard of a claim."""
    labels = AgentLabel.objects.filter(agent_id=agent_id).values("label")
    pairs = AgentAnnotation.objects.filter(agent_id=agent_id, key=OuterRef("key"), value=OuterRef("value"))
    of_order = {"work_order": OuterRef("pk")}
    return Q(_is_live(agent_id)) & (
        Q(Exists(WorkOrderTarget.objects.filter(**of_order, agent_id=agent_id)))
        | Q(Exists(WorkOrderLabel.objects.filter(**of_order, label__in=labels)))
        | Q(Exists(WorkOrderAnnotation.objects.filter(Exists(pairs), **of_order)))
    )


def agents_for(
    *, agent_ids: Iterable[UUID], labels: Iterable[str], annotations: Mapping[str, str]
) -> QuerySet[Agent]:
    """The live agents that could claim an order with this targeting."""
    matched = Q(pk__in=list(agent_ids)) | Q(
        pk__in=AgentLabel.objects.filter(label__in=list(labels)).values("agent_id")
    )
    for key, value in annotations.items():
        matched |= Q(pk__in=AgentAnnotation.objects.filter(key=key, value=value).values("agent_id"))
    return Agent.objects.active().filter(matched)


def _is_live(agent_id: UUID) -> Exists:
    return Exists(Agent.objects.active().filter(pk=agent_id))
