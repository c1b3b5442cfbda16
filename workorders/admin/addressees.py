"""For whom work orders are, in a few words.

It is read for all orders of a page at once; for each order only the first agents, labels and annotations are read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from agents.models import Agent
from core.admin import badge, link
from workorders.models import (
    WorkOrder,
    WorkOrderAnnotation,
    WorkOrderLabel,
    WorkOrderLogEntry,
    WorkOrderTarget,
)

# An order may name thousands of agents; only two of each kind are shown.
NAMED = 2


@dataclass(frozen=True, slots=True)
class Some:
    """The first of the agents, labels or annotations of an order, as text and as HTML, and how many there are."""

    names: Sequence[str] = ()
    shown: Sequence[SafeString] = ()
    count: int = 0


@dataclass(slots=True)
class Addressees:
    """Who may claim an order. Its string names them without links."""

    agents: Some = field(default_factory=Some)
    labels: Some = field(default_factory=Some)
    annotations: Some = field(default_factory=Some)

    def __str__(self) -> str:
        return ", ".join(
            f"{prefix}{', '.join(some.names)}{_more(some, noun)}" for noun, prefix, some in self._kinds()
        )

    @property
    def html(self) -> SafeString | None:
        """The HTML, or None for nobody, which the admin shows as a dash."""
        parts = (
            (
                prefix,
                format_html_join(SafeString(", "), "{}", ((each,) for each in some.shown)),
                _more(some, noun),
            )
            for noun, prefix, some in self._kinds()
        )
        return format_html_join(SafeString(", "), "{}{}{}", parts) or None

    def _kinds(self) -> list[tuple[str, str, Some]]:
        kinds = (
            ("agent", "", self.agents),
            ("label", "label ", self.labels),
            ("annotation", "annotation ", self.annotations),
        )
        return [kind for kind in kinds if kind[2].count]


def _more(some: Some, noun: str) -> str:
    left = some.count - len(some.names)
    return f" and {left} more {noun}{'' if left == 1 else 's'}" if left else ""


def addressees_of_orders(orders: Sequence[WorkOrder]) -> dict[UUID, Addressees]:
    """The addressees by order, with three queries for any number of orders, agents, labels and annotations."""
    found = {order.pk: Addressees() for order in orders}
    for order, rows, count in _first(WorkOrderTarget.objects.all(), orders, "agent__name", "agent_id"):
        found[order].agents = _agents(rows, count)
    for order, rows, count in _first(WorkOrderLabel.objects.all(), orders, "label"):
        found[order].labels = _words([label for (label,) in rows], count)
    for order, rows, count in _first(WorkOrderAnnotation.objects.all(), orders, "key", "value"):
        found[order].annotations = _words([f"{key}={value}" for key, value in rows], count)
    return found


def addressees_of_entries(entries: Sequence[WorkOrderLogEntry]) -> dict[UUID, Addressees]:
    """The addressees by entry, with one query for any number of entries, which contain their targeting."""
    first = {entry.pk: [UUID(each) for each in entry.targeting["agent_ids"][:NAMED]] for entry in entries}
    wanted = {agent_id for agent_ids in first.values() for agent_id in agent_ids}
    names = dict(Agent.objects.filter(pk__in=wanted).values_list("pk", "name"))
    found = {}
    for entry in entries:
        targeting = entry.targeting
        labels = sorted(targeting["labels"])
        annotations = sorted(f"{key}={value}" for key, value in targeting["annotations"].items())
        agents = [(names[agent_id], agent_id) for agent_id in first[entry.pk] if agent_id in names]
        found[entry.pk] = Addressees(
            agents=_agents(agents, len(targeting["agent_ids"])),
            labels=_words(labels[:NAMED], len(labels)),
            annotations=_words(annotations[:NAMED], len(annotations)),
        )
    return found


def _first(
    rows: QuerySet[Any], orders: Sequence[WorkOrder], *columns: str
) -> Iterable[tuple[UUID, list[tuple[Any, ...]], int]]:
    """For each order with such rows: the values of these columns in its first NAMED rows, and the total number."""
    place = Window(RowNumber(), partition_by=F("work_order_id"), order_by=[F(name) for name in columns])
    total = Window(Count("pk"), partition_by=F("work_order_id"))
    numbered = rows.filter(work_order__in=orders).annotate(place=place, total=total)
    found: dict[UUID, list[tuple[Any, ...]]] = {}
    counts: dict[UUID, int] = {}
    listed = numbered.filter(place__lte=NAMED).order_by("work_order_id", "place")
    for order, count, *values in listed.values_list("work_order_id", "total", *columns):
        found.setdefault(order, []).append(tuple(values))
        counts[order] = count
    return [(order, values, counts[order]) for order, values in found.items()]


def _agents(agents: Iterable[tuple[Any, ...]], count: int) -> Some:
    named = list(agents)
    links = [link("agents_agent_change", name, agent_id) for name, agent_id in named]
    return Some([name for name, _ in named], links, count)


def _words(words: Sequence[str], count: int) -> Some:
    return Some(words, [badge(word) for word in words], count)
