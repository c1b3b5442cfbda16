"""Filters of the lists of agents and of stacks that need both: what agents serve, and how they stand with it."""

from typing import TYPE_CHECKING, Any, Literal

from django.contrib import admin
from django.contrib.admin import RelatedFieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from agents.attention import owners
from agents.models import Agent
from agents.wanted.standing import Standing
from agents.wanted.ties import serving_agents
from agents.wanted.versions import held_versions
from core.admin.filters import register_filter
from core.prepared_rows import one_of
from stacks.models import Stack

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    _RelatedFilter = RelatedFieldListFilter
else:
    from unfold.contrib.filters.admin import AutocompleteSelectFilter as _RelatedFilter

# As the bar in the rows counts them.
_STATES = {
    Standing.FAILING: "Failing",
    Standing.PENDING: "Pending",
    Standing.SILENT: "Silent",
    Standing.HELD: "Held back",
}
# Stacks of which agents may have an older version.
_HOLDING = "holding"


class _NamedFilter(_RelatedFilter):
    """A filter whose title is not the field's name."""

    heading: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = self.heading


class RegistrationFilter(_NamedFilter):
    """Agents that are registered with a generator."""

    heading = "registration"


class ServedStackFilter(_NamedFilter):
    """Agents that serve a stack, by a target, a label or an annotation."""

    heading = "stack"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        key: Any = self.used_parameters.get(self.lookup_kwarg)
        if not key:
            return queryset
        try:
            stack = Stack.objects.active().filter(pk=key[-1] if isinstance(key, list) else key).first()
        except ValidationError as error:
            raise IncorrectLookupParameters from error
        return (
            queryset.none() if stack is None else queryset.filter(pk__in=serving_agents(stack).values("pk"))
        )


class StateFilter(admin.SimpleListFilter):
    """Rows that have a deployment in this state, among the latest that need attention (`attention.CANDIDATES`)."""

    parameter_name = "state"
    title = "state"
    # What the list is of.
    column: Literal["agent_id", "stack_id"]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(_STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        state = self.value()
        if state not in _STATES:
            return queryset
        return queryset.filter(pk__in=one_of(owners(Standing(state), self.column)))


class StateOfAgentFilter(StateFilter):
    column = "agent_id"


class StateOfStackFilter(StateFilter):
    column = "stack_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*super().lookups(request, model_admin), (_HOLDING, "With versions held back")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == _HOLDING:
            return queryset.filter(pk__in=held_versions().values("stack"))
        return super().queryset(request, queryset)


register_filter(Stack, StateOfStackFilter, "agents.view_agent")
register_filter(Agent, StateOfAgentFilter, "stacks.view_stack")
register_filter(Agent, ("targets__stack", ServedStackFilter), "stacks.view_stack")
register_filter(Agent, ("registrations__generator", RegistrationFilter), "generators.view_generator")
