"""The common parts of the pages of orders and of the pages of their log."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from agents.models import Agent
from core.admin import CappedPaginator, badges, link, preformatted, whole_number
from core.admin.filters import TypedFilter
from stacks.admin.manifests import manifest_block
from stacks.secret_values import values_of, without_values
from workorders.admin.addressees import Addressees
from workorders.matching import agents_for
from workorders.services.targeting import Targeting

# The theme's classes have no types; they extend Django's classes.
if TYPE_CHECKING:
    _Pages = admin.ModelAdmin[Any]
else:
    _Pages = object

# All agents may have a label, so only the first ones are listed.
AGENTS_SHOWN = 20


class WorkTypeFilter(TypedFilter):
    title = "type, like build"
    parameter_name = "type"
    column = "work_type"


class OrderPages(_Pages):
    """The lists of orders and of finished orders: search by id, filters by type and claimant, no long texts."""

    list_select_related = ("claimed_by",)
    search_fields = ("id",)
    search_help_text = "An order's id"
    paginator = CappedPaginator
    # No list shows these columns, and on a page with large manifests they would be megabytes.
    long_texts: ClassVar[tuple[str, ...]]

    def addressees(self, rows: Sequence[Any]) -> Mapping[UUID, Addressees]:
        """The addressees of each of the rows."""
        raise NotImplementedError

    def happened(self, row: Any) -> str:
        """What a row shows beside its type and its addressees, with the time."""
        raise NotImplementedError

    def prepare(self, rows: Sequence[Any]) -> None:
        found = self.addressees(rows)
        for row in rows:
            row.addressees = found[row.pk]

    def name_of(self, row: Any) -> str:
        whom = row.claimed_by.name if row.claimed_by else str(row.addressees)
        return f"{row.work_type}{f' for {whom}' if whom else ''}, {self.happened(row)}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related("claimed_by")
        match = request.resolver_match
        is_list = match is not None and match.url_name == f"workorders_{self.opts.model_name}_changelist"
        return rows.defer(*self.long_texts) if is_list else rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        try:
            return queryset.filter(pk=UUID(text)), False
        except ValueError:
            return queryset.none(), False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            row.part = whole_number(request.GET.get("part")) or 1
        return row

    @admin.display(description="for")
    def for_whom(self, row: Any) -> SafeString | None:
        whom: Addressees = row.addressees
        return whom.html

    @admin.display(description="claimed by")
    def holder(self, row: Any) -> SafeString | None:
        agent = row.claimed_by
        return link("agents_agent_change", agent.name, agent.pk) if agent else None

    @admin.display(description="order", ordering="id")
    def order_id(self, row: Any) -> SafeString:
        return mono(row.pk)

    @admin.display(description="YAML")
    def yaml(self, row: Any) -> SafeString:
        return manifest_block(row.yaml_content, number=row.part, pages_at="?part=")


def agent_link(agent: Agent | None) -> SafeString | None:
    return link("agents_agent_change", agent, agent.pk) if agent else None


def agents_able(targeting: Targeting) -> tuple[list[Agent], bool]:
    """The first agents that could claim an order with this targeting, by name, and whether there are more."""
    found = agents_for(
        agent_ids=targeting.agent_ids, labels=targeting.labels, annotations=targeting.annotations
    )
    agents = list(found.order_by("name", "cluster_name", "id")[: AGENTS_SHOWN + 1])
    return agents[:AGENTS_SHOWN], len(agents) > AGENTS_SHOWN


def agent_list(agents: Iterable[Agent], *, more: bool = False) -> SafeString | None:
    """The agents as links, one in each line."""
    lines: list[Any] = [agent_link(agent) for agent in agents]
    if more:
        lines.append("… and more")
    return format_html_join(SafeString("<br>"), "{}", ((line,) for line in lines)) or None


def annotation_badges(annotations: Mapping[str, str]) -> SafeString | None:
    return badges(f"{key}={value}" for key, value in sorted(annotations.items()))


def message(text: str | None, yaml_content: str) -> SafeString | None:
    """An agent's message, without the values of the Secrets in the order that it is about."""
    if not text:
        return None
    shown = without_values(text, values_of(yaml_content))
    return preformatted(shown)


def mono(text: object) -> SafeString:
    return format_html('<span class="brokkr-mono">{}</span>', text)
