"""What the pages of orders and of their log show in the same way."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from agents.models import Agent
from core.admin import badges, link
from stacks.masking import mask_secrets
from workorders.matching import agents_for
from workorders.services import Targeting

# The theme's classes carry no types; they extend Django's.
if TYPE_CHECKING:
    _TextFilter = admin.SimpleListFilter
else:
    from unfold.contrib.filters.admin import TextFilter as _TextFilter

# A label may be on the whole fleet; people read the first of a list.
AGENTS_SHOWN = 20


class WorkTypeFilter(_TextFilter):
    # Typed, not chosen: finding the distinct values would read the whole table.
    title = "type, like build"
    parameter_name = "type"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = (self.value() or "").strip()
        return queryset.filter(work_type=value) if value else queryset


def with_id(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """The row whose id the text is; none for any other text."""
    try:
        return rows.filter(pk=UUID(text.strip()))
    except ValueError:
        return rows.none()


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
    """Links, one a line."""
    lines: list[Any] = [agent_link(agent) for agent in agents]
    if more:
        lines.append("… and more")
    return format_html_join(SafeString("<br>"), "{}", ((line,) for line in lines)) or None


def annotation_badges(annotations: Mapping[str, str]) -> SafeString | None:
    return badges(f"{key}={value}" for key, value in sorted(annotations.items()))


def manifest(yaml_content: str) -> SafeString:
    return format_html('<pre class="brokkr-manifest" tabindex="0">{}</pre>', mask_secrets(yaml_content))


def message(text: str | None) -> SafeString | None:
    """An agent's words as it sent them."""
    return format_html('<pre class="brokkr-manifest" tabindex="0">{}</pre>', text) if text else None


def mono(text: object) -> SafeString:
    return format_html('<span class="brokkr-mono">{}</span>', text)
