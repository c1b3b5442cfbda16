"""The page with the timeline of an agent or a stack."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from agents.models import Agent
from agents.services.agents import names_of
from core import clock
from core.admin import BaseAdmin, badge, counted, link
from core.admin.chips import chip
from history.admin.forms import SpanForm
from history.entries import Entry, Key, Kind, Version
from history.timeline import Page, timeline_of_agent, timeline_of_stack
from history.windows import causes_known_since, span
from stacks.models import Stack

_PER_PAGE = 100
_TONES = {
    Kind.WANTED: "quiet",
    Kind.OFFERED: "quiet",
    Kind.APPLIED: "good",
    Kind.FAILED: "bad",
    Kind.HEALTHY: "good",
    Kind.DEGRADED: "wait",
    Kind.FAILING: "bad",
    Kind.UNKNOWN: "quiet",
    Kind.SILENT: "bad",
    Kind.HEARD: "good",
}


def agent_timeline(request: HttpRequest, model_admin: BaseAdmin, agent: Agent) -> HttpResponse:
    """What happened to the agent."""
    return _render(request, model_admin, agent, timeline_of_agent)


def stack_timeline(request: HttpRequest, model_admin: BaseAdmin, stack: Stack) -> HttpResponse:
    """What happened to the stack on all its agents."""
    return _render(request, model_admin, stack, timeline_of_stack)


def version_link(version: Version) -> SafeString:
    """A link to the version, or to the marker, with its number."""
    text = f"#{version.sequence_id}" + (" (removal)" if version.is_deletion_marker else "")
    return link("stacks_deploymentobject_change", text, version.sequence_id)


def _render(
    request: HttpRequest, model_admin: BaseAdmin, row: Agent | Stack, timeline: Callable[..., Page]
) -> HttpResponse:
    now = clock.now()
    form = SpanForm(request.GET if request.GET.keys() & {"since", "until"} else None)
    asked = form.cleaned_data if form.is_valid() else {}
    shown = span(asked.get("since"), asked.get("until"), now=now)
    after = Key.from_text(request.GET.get("after", ""))
    page = timeline(row.pk, shown, after=after, limit=_PER_PAGE)
    names = _names(page.entries)
    heading, other_side = ("Stack", _stack) if isinstance(row, Agent) else ("Agent", _agents)
    ends = (("since", "from"), ("until", "until"))
    context: dict[str, Any] = {
        "form": form,
        "chips": [
            chip(request.GET, words, f"{asked[end]:%Y-%m-%d %H:%M:%S} UTC", [end, "after"])
            for end, words in ends
            if asked.get(end)
        ],
        "shown": shown,
        "causes_known_since": causes_known_since(now),
        "next": page.next_after.to_text() if page.next_after else None,
        "table": {
            "headers": ["When (UTC)", "What", heading, "Version", "By whom"],
            "rows": [
                [_when(entry), _what(entry), other_side(entry, names), _versions(entry), _by_whom(entry)]
                for entry in page.entries
            ],
        },
    }
    return model_admin.render_page(request, row, "history/admin/timeline.html", context)


def _names(entries: Iterable[Entry]) -> dict[UUID, str]:
    """The names of the agents and stacks of a page."""
    listed = list(entries)
    stacks = Stack.objects.filter(pk__in={entry.stack_id for entry in listed if entry.stack_id})
    agents = names_of({entry.agent_id for entry in listed if entry.agent_id})
    return agents | dict(stacks.values_list("pk", "name"))


def _when(entry: Entry) -> SafeString:
    shown = entry.at.strftime("%Y-%m-%d %H:%M:%S")
    return format_html('<time datetime="{}">{}</time>', entry.at.isoformat(), shown)


def _what(entry: Entry) -> SafeString:
    return badge(entry.kind.value, _TONES[entry.kind])


def _stack(entry: Entry, names: dict[UUID, str]) -> object:
    if entry.stack_id is None:
        return "-"
    return link("stacks_stack_change", names.get(entry.stack_id, entry.stack_id), entry.stack_id)


def _agents(entry: Entry, names: dict[UUID, str]) -> object:
    if entry.agent_id is None:
        return counted(entry.agents, "agent")
    return link("agents_agent_change", names.get(entry.agent_id, entry.agent_id), entry.agent_id)


def _versions(entry: Entry) -> object:
    if entry.kind != Kind.WANTED:
        if entry.report_id is not None and entry.version is not None:
            report = link("agents_agentevent_change", "report", entry.report_id)
            return format_html("<span>{} · {}</span>", version_link(entry.version), report)
        return version_link(entry.version) if entry.version else "-"
    before, after = (
        version_link(version) if version else "nothing" for version in (entry.previous, entry.version)
    )
    return format_html("<span>{} → {}</span>", before, after)


def _by_whom(entry: Entry) -> object:
    if entry.cause is None:
        return "-"
    who = entry.cause.actor_label or entry.cause.actor_type
    action = link("audit_auditlog_change", entry.cause.action, entry.cause.sequence)
    perhaps = " (nearest in time)" if entry.cause.is_guessed else ""
    why = format_html("<br>“{}”", entry.cause.reason) if entry.cause.reason else ""
    return format_html("<span>{} {}{}{}</span>", who, action, perhaps, why)
