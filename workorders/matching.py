"""The rule that says which agent may claim which work order.

An agent may claim an order that names it, or shares a label with it, or shares an annotation (key and value).
Registrations do not matter. The rule is written again, for speed, in claimable_work.py and claiming_agents.py; a test
compares them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from agents.models import Agent
from agents.wanted.words import (
    annotations_among,
    annotations_of,
    annotations_of_agents,
    labels_of,
    labels_of_agents,
)
from workorders.models import Status, WorkOrder, WorkOrderAnnotation, WorkOrderLabel, WorkOrderTarget

# SQLite takes 500 parts of a union. Each annotation has its own, while there are no more than this.
_MOST_PARTS = 100
# A label, or the key and the value of an annotation.
_Word = tuple[str, ...]


def pending_for(agent_id: UUID) -> QuerySet[WorkOrder]:
    """The pending orders that the agent may claim.

    The agent's few labels are read first and are constants in the query. So PostgreSQL knows from its statistics how
    frequent they are, and reads only their orders, even if almost every order has another label.
    """
    labels = list(labels_of(agent_id))
    pairs = [Q(key=key, value=value) for key, value in annotations_of(agent_id)]
    share = -(-len(pairs) // _MOST_PARTS) or 1
    matched: QuerySet[Any, Any] = WorkOrderTarget.objects.filter(agent_id=agent_id).values("work_order_id")
    matched = matched.union(
        WorkOrderLabel.objects.filter(label__in=labels).values("work_order_id"),
        *(
            WorkOrderAnnotation.objects.filter(reduce(or_, pairs[start : start + share])).values(
                "work_order_id"
            )
            for start in range(0, len(pairs), share)
        ),
    )
    return WorkOrder.objects.pending().filter(_is_live(agent_id), pk__in=matched)


def claimable_by(agent_id: UUID) -> Q:
    """The same rule as a condition on one order, for the guarded update of a claim."""
    pairs = annotations_of(agent_id).filter(key=OuterRef("key"), value=OuterRef("value"))
    of_order = {"work_order": OuterRef("pk")}
    return Q(_is_live(agent_id)) & (
        Q(Exists(WorkOrderTarget.objects.filter(**of_order, agent_id=agent_id)))
        | Q(Exists(WorkOrderLabel.objects.filter(**of_order, label__in=labels_of(agent_id))))
        | Q(Exists(WorkOrderAnnotation.objects.filter(Exists(pairs), **of_order)))
    )


def agents_for(
    *, agent_ids: Iterable[UUID], labels: Iterable[str], annotations: Mapping[str, str]
) -> QuerySet[Agent]:
    """The live agents that could claim an order with this targeting."""
    carriers = (labels_of_agents().filter(label__in=list(labels)), annotations_among(annotations.items()))
    matched = [Q(pk__in=list(agent_ids)), *(Q(pk__in=rows.values("agent_id")) for rows in carriers)]
    return Agent.objects.active().filter(reduce(or_, matched))


def _is_live(agent_id: UUID) -> Exists:
    return Exists(Agent.objects.active().filter(pk=agent_id))


def pending_counts(agent_ids: Sequence[UUID] | None = None) -> dict[UUID, int]:
    """By agent, how many pending orders it may claim, for `agent_ids` or all agents. Agents with none are left out.

    Five queries for any number of agents and orders. Agents with the same labels and annotations may claim the same
    orders, so these orders are counted once for each set of labels and annotations. There would be too many pairs of
    agents and orders if all agents and all orders had the same label.
    """
    mine = {} if agent_ids is None else {"agent__in": agent_ids}
    waiting = {"work_order__status": Status.PENDING}
    orders_of: defaultdict[_Word, set[UUID]] = defaultdict(set)
    labels, pairs = WorkOrderLabel.objects.filter(**waiting), WorkOrderAnnotation.objects.filter(**waiting)
    for order_id, label in labels.values_list("work_order_id", "label"):
        orders_of[label,].add(order_id)
    for order_id, key, value in pairs.values_list("work_order_id", "key", "value"):
        orders_of[key, value].add(order_id)
    words_of: defaultdict[UUID, set[_Word]] = defaultdict(set)
    asked = labels_of_agents(agent_ids).filter(label__in=labels.values("label"))
    for agent_id, label in asked.values_list("agent_id", "label"):
        words_of[agent_id].add((label,))
    same = pairs.filter(key=OuterRef("key"), value=OuterRef("value"))
    shared_pairs = annotations_of_agents(agent_ids).filter(Exists(same))
    for agent_id, key, value in shared_pairs.values_list("agent_id", "key", "value"):
        words_of[agent_id].add((key, value))
    named: defaultdict[UUID, set[UUID]] = defaultdict(set)
    targets = WorkOrderTarget.objects.filter(**waiting, **mine)
    for agent_id, order_id in targets.values_list("agent_id", "work_order_id"):
        named[agent_id].add(order_id)

    together: dict[frozenset[_Word], set[UUID]] = {}
    counts = {}
    for agent_id in words_of.keys() | named.keys():
        words = frozenset(words_of[agent_id])
        if words not in together:
            together[words] = set().union(*(orders_of[word] for word in words))
        shared = together[words]
        counts[agent_id] = len(shared) + len(named[agent_id] - shared)
    return counts
