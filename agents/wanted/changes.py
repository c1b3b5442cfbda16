"""When something changed that may change what an agent, or the agents of a stack, should have.

Not every change makes a difference: the state before and after it tells (`past.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, F, OuterRef, QuerySet

from agents.models import (
    Agent,
    AgentAnnotationHistory,
    AgentLabelHistory,
    HoldHistory,
    MarkerDeliveryHistory,
    RegistrationHistory,
    TargetHistory,
    VersionRelease,
)
from stacks.models import (
    DeploymentObject,
    Stack,
    StackAnnotationHistory,
    StackLabelHistory,
    StackOwnerHistory,
)


class What(StrEnum):
    """What began or ended."""

    AGENT = "agent"
    AGENT_LABEL = "agent_label"
    AGENT_ANNOTATION = "agent_annotation"
    TARGET = "target"
    REGISTRATION = "registration"
    STACK = "stack"
    STACK_LABEL = "stack_label"
    STACK_ANNOTATION = "stack_annotation"
    OWNER = "owner"
    VERSION = "version"
    HOLD = "hold"
    RELEASE = "release"
    MARKER = "marker"


@dataclass(frozen=True, slots=True)
class Change:
    """Something began or ended. `version_id` is a sequence id, `word` a label or the key of an annotation.

    `transaction` is the number of the transaction that did it, as in the audit log. It is None for what began or ended
    before there were such numbers, and for what an audit entry names by its id: agents, stacks and versions.
    """

    at: datetime
    what: What
    began: bool
    agent_id: UUID | None = None
    stack_id: UUID | None = None
    generator_id: UUID | None = None
    version_id: int | None = None
    word: str = ""
    transaction: int | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes in the order of their times: all of the window up to `until`, and perhaps some of later."""

    changes: Sequence[Change]
    until: datetime


@dataclass(frozen=True, slots=True)
class _Source:
    """Rows, the columns with the times of their beginning and end, and the columns of a change's other fields.

    `began_in` and `ended_in` are the columns with the numbers of the transactions.
    """

    what: What
    rows: QuerySet[Any]
    facts: Mapping[str, str]
    began: str = "added_at"
    ended: str = "removed_at"
    began_in: str = "added_in"
    ended_in: str = "removed_in"

    @classmethod
    def unnumbered(
        cls, what: What, rows: QuerySet[Any], facts: Mapping[str, str], *, began: str = "", ended: str = ""
    ) -> "_Source":
        """Of rows that do not say in which transaction they began and ended."""
        return cls(what, rows, facts, began, ended, "", "")


def changes_of_agent(agent_id: UUID, since: datetime, until: datetime, *, limit: int) -> Changes:
    """The changes from `since` until before `until`, the first `limit` of each kind."""
    labels = AgentLabelHistory.objects.filter(agent_id=agent_id)
    annotations = AgentAnnotationHistory.objects.filter(agent_id=agent_id)
    targets = TargetHistory.objects.filter(agent_id=agent_id)
    same = annotations.filter(key=OuterRef("key"), value=OuterRef("value"))
    stack_labels = StackLabelHistory.objects.filter(label__in=labels.values("label"))
    stack_annotations = StackAnnotationHistory.objects.filter(Exists(same))
    # The stacks that the agent served, or could have served, at any time.
    near = {
        stack_id
        for rows in (stack_labels, stack_annotations, targets)
        for stack_id in rows.values_list("stack_id", flat=True).distinct()
    }
    sources = [
        _Source.unnumbered(
            What.AGENT,
            Agent.objects.filter(pk=agent_id),
            {"agent_id": "pk"},
            began="created_at",
            ended="deleted_at",
        ),
        _Source(What.AGENT_LABEL, labels, {"agent_id": "agent_id", "word": "label"}),
        _Source(What.AGENT_ANNOTATION, annotations, {"agent_id": "agent_id", "word": "key"}),
        _Source(What.TARGET, targets, {"agent_id": "agent_id", "stack_id": "stack_id"}),
        _Source(What.STACK_LABEL, stack_labels, {"stack_id": "stack_id", "word": "label"}),
        _Source(What.STACK_ANNOTATION, stack_annotations, {"stack_id": "stack_id", "word": "key"}),
        *_of_stacks(near, VersionRelease.objects.filter(agent=agent_id)),
        _Source(
            What.MARKER,
            MarkerDeliveryHistory.objects.filter(agent_id=agent_id),
            {"agent_id": "agent_id", "version_id": "marker_id"},
        ),
    ]
    if settings.REQUIRE_REGISTRATION:
        registrations = RegistrationHistory.objects.filter(agent_id=agent_id)
        facts = {"agent_id": "agent_id", "generator_id": "generator_id"}
        sources.append(_Source(What.REGISTRATION, registrations, facts))
    return _merged(sources, since, until, limit)


def changes_of_stack(stack_id: UUID, since: datetime, until: datetime, *, limit: int) -> Changes:
    """The changes from `since` until before `until`, the first `limit` of each kind."""
    labels = StackLabelHistory.objects.filter(stack_id=stack_id)
    annotations = StackAnnotationHistory.objects.filter(stack_id=stack_id)
    same = annotations.filter(key=OuterRef("key"), value=OuterRef("value"))
    agent_labels = AgentLabelHistory.objects.filter(label__in=labels.values("label"))
    agent_annotations = AgentAnnotationHistory.objects.filter(Exists(same))
    targets = TargetHistory.objects.filter(stack_id=stack_id)
    markers = DeploymentObject.objects.filter(stack=stack_id, is_deletion_marker=True)
    owed = MarkerDeliveryHistory.objects.filter(marker_id__in=markers.values("pk"))
    sources = [
        _Source.unnumbered(What.AGENT, Agent.objects.all(), {"agent_id": "pk"}, ended="deleted_at"),
        _Source(What.STACK_LABEL, labels, {"stack_id": "stack_id", "word": "label"}),
        _Source(What.STACK_ANNOTATION, annotations, {"stack_id": "stack_id", "word": "key"}),
        _Source(What.AGENT_LABEL, agent_labels, {"agent_id": "agent_id", "word": "label"}),
        _Source(What.AGENT_ANNOTATION, agent_annotations, {"agent_id": "agent_id", "word": "key"}),
        _Source(What.TARGET, targets, {"agent_id": "agent_id", "stack_id": "stack_id"}),
        *_of_stacks({stack_id}, VersionRelease.objects.all()),
        _Source(What.MARKER, owed, {"agent_id": "agent_id", "version_id": "marker_id"}),
    ]
    if settings.REQUIRE_REGISTRATION:
        owners = StackOwnerHistory.objects.filter(stack_id=stack_id).values("generator_id")
        registrations = RegistrationHistory.objects.filter(generator_id__in=owners)
        facts = {"agent_id": "agent_id", "generator_id": "generator_id"}
        sources.append(_Source(What.REGISTRATION, registrations, facts))
    return _merged(sources, since, until, limit)


def _of_stacks(stack_ids: set[UUID], releases: QuerySet[VersionRelease]) -> list[_Source]:
    """What happens to stacks, whoever serves them; `releases` are those that matter."""
    versions = DeploymentObject.objects.filter(stack__in=stack_ids, recipient_id__isnull=True)
    holds = HoldHistory.objects.filter(version_id__in=versions.values("pk"))
    of_version = {"stack_id": "version__stack_id", "version_id": "version_id"}
    sources = [
        _Source.unnumbered(
            What.STACK, Stack.objects.filter(pk__in=stack_ids), {"stack_id": "pk"}, ended="deleted_at"
        ),
        _Source.unnumbered(
            What.VERSION, versions, {"stack_id": "stack_id", "version_id": "pk"}, began="created_at"
        ),
        _Source(What.HOLD, holds, {"version_id": "version_id"}, began=""),
        _Source(
            What.RELEASE,
            releases.filter(version__stack__in=stack_ids),
            of_version,
            began="created_at",
            ended="",
            began_in="transaction_number",
        ),
    ]
    if settings.REQUIRE_REGISTRATION:
        owners = StackOwnerHistory.objects.filter(stack_id__in=stack_ids)
        facts = {"stack_id": "stack_id", "generator_id": "generator_id"}
        sources.append(_Source(What.OWNER, owners, facts, ended=""))
    return sources


def _merged(sources: Sequence[_Source], since: datetime, until: datetime, limit: int) -> Changes:
    found: list[Change] = []
    complete_until = until
    for source in sources:
        ends = ((source.began, source.began_in, True), (source.ended, source.ended_in, False))
        for column, transaction, began in ends:
            if not column:
                continue
            facts = {**source.facts, **({"transaction": transaction} if transaction else {})}
            window = source.rows.filter(**{f"{column}__gte": since, f"{column}__lt": until})
            # Many rows may have changed at one moment, by one statement.
            rows = window.order_by(column).annotate(moment=F(column)).values("moment", *facts.values())
            page = list(rows.distinct()[:limit])
            found.extend(
                Change(
                    at=row["moment"],
                    what=source.what,
                    began=began,
                    **{name: row[fact] for name, fact in facts.items()},
                )
                for row in page
            )
            if len(page) == limit:
                complete_until = min(complete_until, page[-1]["moment"])
    return Changes(sorted(found, key=lambda change: change.at), complete_until)
