"""Which deployments the page of deployments shows: what is searched for and filtered by, and the rows that are left."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q

from agents.deployments import Deployment
from agents.models import Agent
from agents.sought import Sought
from agents.wanted.standing import Standing
from core import clock
from generators.models import Generator
from stacks.models import Stack
from stacks.secret_values import without_secrets

_SINCE = [("", "any time"), ("1h", "the last hour"), ("24h", "the last day"), ("7d", "the last week")]
_AGES = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7)}


class DeploymentFilter(forms.Form):
    """What the query of the page asks for. A field that cannot be read filters nothing."""

    q = forms.CharField(required=False, max_length=200, label="Search")
    generator = forms.CharField(required=False, max_length=255, label="Generator")
    label = forms.CharField(required=False, max_length=64, label="Label")
    since = forms.ChoiceField(required=False, label="Began in", choices=_SINCE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_valid()

    @property
    def chosen(self) -> list[tuple[str, str, str]]:
        """The filters that are set: the field's name, its label and its value in words."""
        words = dict(_SINCE)
        return [
            (name, str(self.fields[name].label).lower(), words[value] if name == "since" else value)
            for name, value in self.cleaned_data.items()
            if value
        ]


def matching(rows: Sequence[Deployment], sought: Sought) -> list[Deployment]:
    """The rows that are let through. Nothing is found by a hidden value."""
    found = [row for row in rows if sought.has(row.agent.pk, row.stack.pk, row.since, row.message)]
    if not sought.text:
        return found
    messages = without_secrets((row.reported or 0, row.message) for row in found)
    return [
        row
        for row, shown in zip(found, messages, strict=True)
        if shown == row.message or sought.has(row.agent.pk, row.stack.pk, row.since, shown)
    ]


def sought_by(form: DeploymentFilter) -> Sought:
    """What the filter asks for. At most five queries."""
    values = form.cleaned_data
    text = values.get("q", "").strip()
    age: timedelta | None = _AGES.get(values.get("since", ""))
    stacks: frozenset[UUID] | None = None
    labelled: frozenset[UUID] | None = None
    named: list[UUID] = []
    if generator := values.get("generator"):
        owners = Generator.objects.active().filter(name=generator)
        stacks = frozenset(Stack.objects.active().filter(generator__in=owners).values_list("pk", flat=True))
    if label := values.get("label"):
        # Of agents or of stacks: both call it a label.
        labelled = frozenset(
            _labelled(Agent.objects.active(), label) + _labelled(Stack.objects.active(), label)
        )
    if text:
        by_name = Q(name__icontains=text)
        named += Stack.objects.active().filter(by_name).values_list("pk", flat=True)
        found = Agent.objects.active().filter(by_name | Q(cluster_name__icontains=text))
        named += found.values_list("pk", flat=True)
    return Sought(
        text.casefold(), stacks, labelled, frozenset(named), clock.now() - age if age is not None else None
    )


def _labelled(rows: Any, label: str) -> list[UUID]:
    return list(rows.filter(labels__label=label).values_list("pk", flat=True))


def generator_names() -> Sequence[str]:
    """The choices of the filter."""
    return list(Generator.objects.active().order_by("name").values_list("name", flat=True)[:500])


@dataclass(frozen=True, slots=True)
class StackGroup:
    """Agents that stand alike with one version of a stack."""

    stack: Stack
    version: int | None
    standing: Standing
    agents: int
    # Since when the last of them does.
    since: datetime | None


def by_stack(rows: Iterable[Deployment]) -> list[StackGroup]:
    """The rows by stack and version, in the order of the first row of each."""
    groups: dict[tuple[UUID, int | None], list[Deployment]] = {}
    for row in rows:
        groups.setdefault((row.stack.pk, row.newest), []).append(row)
    return [
        StackGroup(
            each[0].stack,
            version,
            each[0].standing,
            len(each),
            max((row.since for row in each if row.since is not None), default=None),
        )
        for (_, version), each in groups.items()
    ]
